package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// composeNginx holds nginx's configuration, as compose mounts it.
const composeNginx = "../../deploy/compose/nginx"

// front is nginx with the configuration of compose, in a place of a test's own.
type front struct {
	// chat is the name that nginx asks for servers by, with a port: one that resolver knows, or one of upstreams.
	chat string
	// upstreams are definitions for the place, or nothing.
	upstreams string
	// resolver answers for names, host:port, where there are any.
	resolver string
	// models is the address of a model server.
	models string
	// unlimited addresses are held to no limit.
	unlimited string
	// place is a place.conf as it is mounted elsewhere, which takes the place of all of the above.
	place string
	// listens is listen.conf; empty for plain HTTP.
	listens string
	// parts are optional files by what they stand for: ml, auth.
	parts map[string]string
}

// config writes what nginx.conf includes into a folder, and answers nginx.conf itself, to the letter what compose mounts.
func (f front) config(t *testing.T, listen, dir string) string {
	t.Helper()
	write := func(name, text string) { must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)) }
	var place strings.Builder
	if f.resolver != "" {
		fmt.Fprintf(&place, "resolver %s valid=1s ipv6=off;\nresolver_timeout 2s;\n", f.resolver)
	}
	place.WriteString(f.upstreams)
	for variable, value := range map[string]string{
		"$chat": f.chat, "$model_server": f.models, "$sign_in": "sign-in:9999", "$outer_scheme": "$scheme",
	} {
		fmt.Fprintf(&place, "map \"\" %s { default %q; }\n", variable, value)
	}
	fmt.Fprintf(&place, "geo $exempt { default 0; %s }\n", f.unlimited)
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&place, "%s_temp_path %s;\n", what, filepath.Join(dir, what))
	}
	if f.place != "" {
		place.Reset()
		place.WriteString(strings.ReplaceAll(f.place, " /tmp/", " "+dir+"/"))
	}
	write("place.conf", place.String())
	if f.listens == "" {
		f.listens = "listen " + listen + ";"
	}
	write("listen.conf", f.listens)
	for _, part := range []string{"ml", "auth"} {
		chosen := "off"
		if name := f.parts[part]; name != "" {
			chosen = name
		}
		write(part+".conf", composeFile(t, "optional/"+chosen+".conf"))
	}
	return composeFile(t, "nginx.conf")
}

func composeFile(t *testing.T, name string) string {
	t.Helper()
	return file(t, filepath.Join(composeNginx, name))
}

func file(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}
