package main

import (
	"encoding"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// configKey is one key of the configuration file.
type configKey struct {
	name  string // "axis.url"
	value reflect.Value
	list  bool // a table that may stand more than once; the environment cannot say it
}

// env is the variable that overrides the key.
func (k configKey) env() string {
	return "LIENTHONG_" + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
}

// keys lists the keys there are, in the order of the file.
func (c *config) keys() []configKey { return keysOf(reflect.ValueOf(c).Elem(), "") }

func keysOf(v reflect.Value, before string) []configKey {
	var all []configKey
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("toml")
		if name == "" {
			if v.Type().Field(i).Anonymous { // its keys stand one level up
				all = append(all, keysOf(v.Field(i), before)...)
			}
			continue
		}
		field, name := v.Field(i), before+name
		_, text := field.Addr().Interface().(encoding.TextUnmarshaler)
		switch {
		case field.Kind() == reflect.Struct && !text:
			all = append(all, keysOf(field, name+".")...)
		case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Struct, field.Kind() == reflect.Map:
			all = append(all, configKey{name, field, true})
		default:
			all = append(all, configKey{name, field, false})
		}
	}
	return all
}

// unknownKey names a key that there is not, and the nearest that there is.
func (c *config) unknownKey(key toml.Key) error {
	var names []string
	for _, k := range c.keys() {
		names = append(names, k.name)
		if k.list && k.value.Kind() == reflect.Slice {
			for _, inner := range keysOf(reflect.New(k.value.Type().Elem()).Elem(), k.name+".") {
				names = append(names, inner.name)
			}
		}
		if section, _, ok := strings.Cut(k.name, "."); ok && !slices.Contains(names, section) {
			names = append(names, section)
		}
	}
	return fmt.Errorf("unknown key %s; close to it: %s", key, nearest(key.String(), names, 1)[0])
}

// override takes values from the environment.
func (c *config) override(env func(string) (string, bool)) error {
	for _, k := range c.keys() {
		text, ok := env(k.env())
		if !ok || text == "" || k.list {
			continue
		}
		if err := k.set(text); err != nil {
			return fmt.Errorf("%s: %w", k.env(), err)
		}
		c.fromEnv = append(c.fromEnv, k.name)
	}
	return nil
}

func (k configKey) set(text string) error {
	if u, ok := k.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	var err error
	switch k.value.Kind() {
	case reflect.String:
		k.value.SetString(text)
	case reflect.Bool:
		var v bool
		if v, err = strconv.ParseBool(text); err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		k.value.SetBool(v)
	case reflect.Int, reflect.Int64:
		var v int64
		if v, err = strconv.ParseInt(text, 10, 64); err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		k.value.SetInt(v)
	case reflect.Float64:
		var v float64
		if v, err = strconv.ParseFloat(text, 64); err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		k.value.SetFloat(v)
	case reflect.Slice:
		if k.value.Type().Elem().Kind() != reflect.String {
			return errors.New("this key cannot be set by the environment")
		}
		k.value.Set(reflect.MakeSlice(k.value.Type(), 0, 0))
		for _, one := range strings.Split(text, ",") {
			if one = strings.TrimSpace(one); one != "" {
				k.value.Set(reflect.Append(k.value, reflect.ValueOf(one).Convert(k.value.Type().Elem())))
			}
		}
	default:
		return errors.New("this key cannot be set by the environment")
	}
	return nil
}

// MarshalText writes the text form.
func (s size) MarshalText() ([]byte, error) {
	for _, u := range []struct {
		factor int64
		name   string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if s != 0 && int64(s)%u.factor == 0 {
			return fmt.Appendf(nil, "%d%s", int64(s)/u.factor, u.name), nil
		}
	}
	return fmt.Appendf(nil, "%dB", int64(s)), nil
}

// isSecret reports a key whose value must not be shown. Secrets stand in files
// of their own, so there should be none; names decide, in case one is added.
func isSecret(name string) bool {
	last := name[strings.LastIndex(name, ".")+1:]
	return slices.ContainsFunc([]string{"token", "secret", "password", "pin"}, func(word string) bool {
		return last == word || strings.HasSuffix(last, "_"+word)
	})
}

// environment is the real one.
func environment(name string) (string, bool) { return os.LookupEnv(name) }
