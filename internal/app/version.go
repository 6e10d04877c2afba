package app

import "runtime/debug"

const program = "mixcloud-graphql"

// release is the version of a release build, such as v0.1.0. The linker sets it.
var release string

// version returns the version of the module, the commit of the build and the version of Go, as far as they are known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return program + " (built without module information)"
	}
	v := moduleVersion(info)
	if v == "" {
		v = "devel"
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = ", modified"
		}
	}
	if commit != "" {
		v += " (" + commit + dirty + ")"
	}
	return program + " " + v + " " + info.GoVersion
}

// userAgent returns the User-Agent header of calls to Mixcloud.
func userAgent() string {
	if info, ok := debug.ReadBuildInfo(); ok && moduleVersion(info) != "" {
		return program + "/" + moduleVersion(info)
	}
	return program
}

// moduleVersion returns the version of a release or, if the build was made from a repository, the version that Go has
// derived from its tags. Otherwise it returns "".
func moduleVersion(info *debug.BuildInfo) string {
	if release == "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return release
}
