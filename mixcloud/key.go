package mixcloud

import (
	"net/url"
	"strings"
)

// UserKey is the key of the user with the given name, which may be plain or
// escaped and may have slashes around it: "spartacus" gives "/spartacus/".
// The case is kept; the API answers any. A name that no user can have is an
// [*InvalidError].
func UserKey(username string) (string, error) {
	key, problem := cleanPath(strings.TrimSpace(username))
	if problem == "" {
		if ref, _ := shape(elements(key)); ref.Kind != KindUser {
			problem = "can be no user's name"
		}
	}
	if problem != "" {
		return "", &InvalidError{Arg: "username", Reason: problem}
	}
	return key, nil
}

// TagKey is the key of the tag with the given name or slug, plain or escaped:
// "Drum & Bass" and "drum-bass" give "/genres/drum-bass/".
func TagKey(nameOrSlug string) (string, error) { return tagKey(nameOrSlug, asReceived) }

func tagKey(nameOrSlug string, f form) (string, error) {
	slug, err := slugElement("name", nameOrSlug, f)
	if err != nil {
		return "", err
	}
	return "/" + tagPrefix + "/" + slug + "/", nil
}

// CityKey is the key of the city with the given name or slug, with or without
// "city:" before it: "Athens" gives "/genres/city:athens/".
func CityKey(nameOrSlug string) (string, error) { return cityKey(nameOrSlug, asReceived) }

func cityKey(nameOrSlug string, f form) (string, error) {
	slug, err := slugElement("name", strings.TrimPrefix(nameOrSlug, "city:"), f)
	if err != nil {
		return "", err
	}
	return "/" + tagPrefix + "/city:" + slug + "/", nil
}

// CategoryKey is the key of the category with the given name or slug: "ambient"
// gives "/categories/ambient/".
func CategoryKey(slug string) (string, error) { return categoryKey(slug, asReceived) }

func categoryKey(slug string, f form) (string, error) {
	slug, err := slugElement("slug", slug, f)
	if err != nil {
		return "", err
	}
	return "/categories/" + slug + "/", nil
}

// DiscoverKey is the key under which the shows that carry all of tags and come
// from city are listed: "/genres/funk+city:athens/". Both take names or slugs
// and may be empty; with neither it is "/genres/all/", the whole site. That the
// API takes more than one tag at a time is inferred.
func DiscoverKey(tags []string, city string) (string, error) {
	return discoverKey(tags, city, asReceived)
}

func discoverKey(tags []string, city string, f form) (string, error) {
	parts := make([]string, 0, len(tags)+1)
	for _, tag := range tags {
		slug, err := slugElement("tags", tag, f)
		if err != nil {
			return "", err
		}
		parts = append(parts, slug)
	}
	if city != "" {
		slug, err := slugElement("city", strings.TrimPrefix(city, "city:"), f)
		if err != nil {
			return "", err
		}
		parts = append(parts, "city:"+slug)
	}
	if len(parts) == 0 {
		parts = append(parts, "all")
	}
	return "/" + tagPrefix + "/" + strings.Join(parts, "+") + "/", nil
}

// slugElement makes the escaped path element of a name or slug, in a form of it.
func slugElement(arg, name string, f form) (string, error) {
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	if strings.Contains(name, "://") {
		return "", &InvalidError{Arg: arg, Reason: "is an address, not a name"}
	}
	slug := Slug(f(name))
	if slug == "" {
		return "", &InvalidError{Arg: arg, Reason: "has no letter and no digit"}
	}
	element, problem := cleanElement(url.PathEscape(slug))
	if problem == "" && len(element) > maxPath/2 {
		problem = "is too long"
	}
	if problem != "" {
		return "", &InvalidError{Arg: arg, Reason: problem}
	}
	return element, nil
}
