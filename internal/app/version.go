package app

import "runtime/debug"

// version returns the version of the module, the commit of the build and the version of Go, as far as the build
// information has them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return program + " (built without module information)"
	}
	v, commit, dirty := info.Main.Version, "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = ", modified"
		}
	}
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	if commit != "" {
		v += " (" + commit + dirty + ")"
	}
	return program + " " + v + " " + info.GoVersion
}

const program = "mixcloud-graphql"

// userAgent returns the User-Agent header of calls to Mixcloud.
func userAgent() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return program + "/" + info.Main.Version
	}
	return program
}
