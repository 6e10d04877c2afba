package mixcloud

import (
	"net/url"
	"strings"
)

// UserKey returns the key of the user with the given name: "/spartacus/" for
// "spartacus". The name may be percent-encoded and may have slashes around it. Its
// case is not changed; Mixcloud accepts any. A name that no user can have is an
// [*InvalidError].
func UserKey(username string) (string, error) {
	key, problem := cleanPath(strings.TrimSpace(username))
	if problem == "" {
		if kind, _ := pathKind(elements(key)); kind != KindUser {
			problem = "is not a possible username"
		}
	}
	if problem != "" {
		return "", &InvalidError{Arg: "username", Reason: problem}
	}
	return key, nil
}

// TagKey returns the key of the tag with the given name or slug:
// "/genres/drum-bass/" for "Drum & Bass" and for "drum-bass".
func TagKey(nameOrSlug string) (string, error) { return tagKey(nameOrSlug, unchanged) }

func tagKey(nameOrSlug string, f nameForm) (string, error) {
	slug, err := slugElement("name", nameOrSlug, f)
	if err != nil {
		return "", err
	}
	return "/" + tagPrefix + "/" + slug + "/", nil
}

// CityKey returns the key of the city with the given name or slug, with or without
// "city:" before it: "/genres/city:athens/" for "Athens".
func CityKey(nameOrSlug string) (string, error) { return cityKey(nameOrSlug, unchanged) }

func cityKey(nameOrSlug string, f nameForm) (string, error) {
	slug, err := slugElement("name", strings.TrimPrefix(nameOrSlug, "city:"), f)
	if err != nil {
		return "", err
	}
	return "/" + tagPrefix + "/city:" + slug + "/", nil
}

// CategoryKey returns the key of the category with the given name or slug:
// "/categories/ambient/" for "ambient".
func CategoryKey(slug string) (string, error) { return categoryKey(slug, unchanged) }

func categoryKey(slug string, f nameForm) (string, error) {
	slug, err := slugElement("slug", slug, f)
	if err != nil {
		return "", err
	}
	return "/categories/" + slug + "/", nil
}

// DiscoverKey returns the key of a combination of tags and a city, such as
// "/genres/funk+city:athens/": it selects the cloudcasts that have all tags and
// are from the city. The arguments are names or slugs and may be empty. If both
// are empty the key is "/genres/all/", which selects all cloudcasts. That Mixcloud
// accepts more than one tag is inferred.
func DiscoverKey(tags []string, city string) (string, error) {
	return discoverKey(tags, city, unchanged)
}

func discoverKey(tags []string, city string, f nameForm) (string, error) {
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

// slugElement returns the escaped path element of a name or slug, to which f is
// applied first.
func slugElement(arg, name string, f nameForm) (string, error) {
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	if strings.Contains(name, "://") {
		return "", &InvalidError{Arg: arg, Reason: "is a URL, not a name"}
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
