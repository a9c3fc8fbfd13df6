#compdef lienthong
# Completion of lienthong for zsh: source <(lienthong completion zsh)
_lienthong() {
	local cur=${words[CURRENT]} line=("${(@)words[1,CURRENT-1]}") all
	[[ $cur == -* ]] && line+=("$cur")
	all=("${(@f)$("${line[@]}" --generate-bash-completion 2>/dev/null)}")
	if [[ -n ${all[*]} ]]; then compadd -- "${all[@]}"; else _files; fi
}
if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then _lienthong "$@"; else compdef _lienthong lienthong; fi
