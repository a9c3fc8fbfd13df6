# Completion of lienthong for bash: source <(lienthong completion bash)
_lienthong() {
	local cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]:0:COMP_CWORD}") all
	case $cur in -*) words+=("$cur") ;; esac
	all=$("${words[@]}" --generate-bash-completion 2>/dev/null)
	mapfile -t COMPREPLY < <(compgen -W "$all" -- "$cur")
}
complete -o bashdefault -o default -F _lienthong lienthong
