package mixcloud

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// A view maps the API's member names to the fields of a decoded value: scalars,
// pointers to scalars, views and lists of views. Nil means absent.
type view map[string]any

// rawKey is the name of the member of a view that contains Raw.
const rawKey = "\x00raw"

func (v view) flatten(path string, shown map[string]string, raws map[string]json.RawMessage) {
	for name, m := range v {
		at := joinMember(path, name)
		switch m := m.(type) {
		case nil:
		case json.RawMessage:
			raws[path] = m
		case view:
			if m != nil {
				m.flatten(at, shown, raws)
			}
		case []view:
			if m != nil && len(m) == 0 {
				shown[at] = "[]"
			}
			for i, e := range m {
				e.flatten(fmt.Sprintf("%s[%d]", at, i), shown, raws)
			}
		case string:
			if m != "" {
				shown[at] = m
			}
		case *string:
			set(shown, at, m, func(s string) string { return s })
		case *int:
			set(shown, at, m, func(n int) string { return fmt.Sprint(n) })
		case *bool:
			set(shown, at, m, func(b bool) string { return fmt.Sprint(b) })
		case *time.Time:
			set(shown, at, m, func(t time.Time) string { return t.Format(time.RFC3339) })
		default:
			panic(fmt.Sprintf("%s is a %T", at, m))
		}
	}
}

func set[T any](shown map[string]string, at string, p *T, text func(T) string) {
	if p != nil {
		shown[at] = text(*p)
	}
}

func views[T any](list []T, of func(*T) view) []view {
	if list == nil {
		return nil
	}
	all := []view{}
	for i := range list {
		all = append(all, of(&list[i]))
	}
	return all
}

func viewOf[T any](p *T, of func(*T) view) view {
	if p == nil {
		return nil
	}
	return of(p)
}

func viewPictures(p Pictures) view {
	if p == nil {
		return nil
	}
	v := view{}
	for _, picture := range p {
		v[picture.Name] = picture.URL
	}
	return v
}

func viewMetadata(m Metadata) view {
	if m.Connections == nil {
		return nil
	}
	v := view{}
	for name, link := range m.Connections {
		v[name] = link
	}
	return view{"connections": v}
}

func viewUser(u *User) view {
	return view{
		rawKey: u.Raw(), "key": u.Key.String(), "url": u.URL, "name": u.Name, "username": u.Username,
		"type": u.Type, "pictures": viewPictures(u.Pictures), "following": u.Following,
		"listen_time": u.ListenTime,
	}
}

func viewFullUser(u *FullUser) view {
	v := viewUser(&u.User)
	maps.Copy(v, view{
		"biog": u.Biog, "created_time": u.Created, "updated_time": u.Updated,
		"follower_count": u.FollowerCount, "following_count": u.FollowingCount,
		"cloudcast_count": u.CloudcastCount, "favorite_count": u.FavoriteCount,
		"listen_count": u.ListenCount, "is_pro": u.IsPro, "is_premium": u.IsPremium,
		"city": u.City, "country": u.Country, "picture_primary_color": u.PicturePrimaryColor,
		"cover_pictures": viewPictures(u.CoverPictures), "follower": u.Follower,
		"is_current_user": u.IsCurrentUser, "metadata": viewMetadata(u.Metadata),
	})
	return v
}

func viewCloudcast(c *Cloudcast) view {
	return view{
		rawKey: c.Raw(), "key": c.Key.String(), "url": c.URL, "name": c.Name, "slug": c.Slug, "type": c.Type,
		"tags": views(c.Tags, viewTag), "created_time": c.CreatedTime, "updated_time": c.UpdatedTime,
		"play_count": c.PlayCount, "favorite_count": c.FavoriteCount, "comment_count": c.CommentCount,
		"listener_count": c.ListenerCount, "repost_count": c.RepostCount, "hidden_stats": c.HiddenStats,
		"pictures": viewPictures(c.Pictures), "user": viewOf(c.User, viewUser),
		"hosts": views(c.Hosts, viewUser), "audio_length": c.AudioLength,
		"is_exclusive": c.IsExclusive, "percentage_music": c.PercentageMusic,
		"favorited": c.Favorited, "reposted": c.Reposted, "is_listen_later": c.IsListenLater,
		"listen_time": c.ListenTime,
	}
}

func viewFullCloudcast(c *FullCloudcast) view {
	v := viewCloudcast(&c.Cloudcast)
	maps.Copy(v, view{
		"description": c.Description, "sections": views(c.Sections, viewSection),
		"picture_primary_color": c.PicturePrimaryColor, "metadata": viewMetadata(c.Metadata),
	})
	return v
}

func viewSection(s *Section) view {
	return view{
		rawKey: s.Raw(), "position": s.Position, "start_time": s.StartTime, "type": s.Type,
		"section_type": s.SectionType, "track": viewOf(s.Track, viewTrack), "chapter": s.Chapter,
	}
}

func viewTrack(t *Track) view {
	return view{
		rawKey: t.Raw(), "key": t.Key.String(), "url": t.URL, "name": t.Name, "slug": t.Slug, "type": t.Type,
		"artist": viewOf(t.Artist, viewArtist), "metadata": viewMetadata(t.Metadata),
	}
}

func viewArtist(a *Artist) view {
	return view{
		rawKey: a.Raw(), "key": a.Key.String(), "url": a.URL, "name": a.Name, "slug": a.Slug, "type": a.Type,
		"metadata": viewMetadata(a.Metadata),
	}
}

func viewTag(t *Tag) view {
	return view{
		rawKey: t.Raw(), "key": t.Key.String(), "url": t.URL, "name": t.Name, "type": t.Type,
		"metadata": viewMetadata(t.Metadata),
	}
}

func viewCategory(c *Category) view {
	return view{
		rawKey: c.Raw(), "key": c.Key.String(), "url": c.URL, "name": c.Name, "slug": c.Slug, "type": c.Type,
		"format": c.Format, "pictures": viewPictures(c.Pictures), "metadata": viewMetadata(c.Metadata),
	}
}

func viewComment(c *Comment) view {
	return view{
		rawKey: c.Raw(), "key": c.Key.String(), "url": c.URL, "comment": c.Text, "type": c.Type,
		"submit_date": c.SubmitDate, "user": viewOf(c.User, viewUser),
	}
}

func viewActivity(a *Activity) view {
	return view{
		rawKey: a.Raw(), "key": a.Key.String(), "url": a.URL, "title": a.Title, "type": a.Kind,
		"created_time": a.CreatedTime, "from": viewOf(a.From, viewUser),
		"cloudcasts": views(a.Cloudcasts, viewCloudcast), "users": views(a.Users, viewUser),
	}
}
