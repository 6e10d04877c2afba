package malformed

import (
	"encoding/json"
	"fmt"
	"strings"
)

// quote returns a text as a JSON string.
func quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(b)
}

// json returns JSON with an unexpected structure, or malformed JSON.
func (c *Corpus) json() string {
	deep := 1 + c.random.IntN(3000)
	switch c.random.IntN(14) {
	case 0:
		return strings.Repeat("[", deep) + strings.Repeat("]", deep)
	case 1:
		return strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep-1)
	case 2:
		return `{"query":` + pick(c, []string{"null", "1", "[]", "{}", "true", `"\ud800"`, `"\u0000"`, `""`, c.number()}) + `}`
	case 3:
		return `{"query":"{__typename}","operationName":` + pick(c, []string{"1", `""`, `"X"`, "null", "{}"}) + `}`
	case 4:
		return `{"query":"{__typename}","query":"{x}","QUERY":"{y}"}`
	case 5:
		return `[{"query":"{__typename}"},{"query":"{__typename}"}]`
	case 6:
		return "\xef\xbb\xbf" + `{"query":"{__typename}"}` + strings.Repeat(" ", c.random.IntN(100))
	case 7:
		return `{"query":"{__typename}"}` + pick(c, []string{"x", "{}", ",", "\x00", `{"query":"{__typename}"}`})
	case 8:
		return fmt.Sprintf(`{"n":%s,"id":%s,"key":%s,"at":%s}`, c.number(), c.number(), quote(strings.Repeat("/", 300)), quote("2020-13-45T99:99:99Z"))
	case 9:
		return pick(c, []string{"", "null", "1", `"x"`, "{", "{]", "{'a':1}", "{\"a\":}", "NaN", "\xff\xfe{\x00}\x00", "{\"\xff\":1}", "// x\n{}"})
	case 10:
		return `{"n":{"a":[1,{"b":null}]},"first":"2","last":[],"x":` + c.number() + `}`
	case 11:
		return `{"query":` + quote(c.document()) + `,"variables":{"n":` + c.number() + `}}`
	case 12:
		return `{"s":"` + strings.Repeat("é", c.random.IntN(3000)) + `"}`
	default:
		return `{` + strings.Repeat(`"a":1,`, c.random.IntN(2000)) + `"b":1}`
	}
}

// documents are valid documents with variables.
var documents = []string{
	"query Q($n: Int!) { popular(first: $n) { nodes { name } } }",
	"query Q($id: ID!) { node(id: $id) { id } }",
	"query Q($key: String!) { cloudcast(key: $key) { name user { name } } }",
	"query Q($keys: [String!]!) { resources(keys: $keys) { __typename } }",
	"query Q($after: String, $first: Int) { user(username: \"demo\") { followers(first: $first, after: $after) { edges { cursor } } } }",
	"query Q($at: DateTime) { user(username: \"demo\") { cloudcasts(first: 2, since: $at) { nodes { name } } } }",
	"query Q($s: Boolean!) { popular(first: 1) { nodes { name @skip(if: $s) } } }",
}

// tokens are the parts of random documents.
var tokens = []string{
	"{", "}", "(", ")", "[", "]", ":", "=", "!", "|", "&", "$", "@", "...", ",", "query", "mutation", "subscription", "fragment", "on", "Q", "F", "User", "Cloudcast",
	"popular", "user", "username", "first", "nodes", "edges", "name", "key", "__typename", "__schema", "types", "true", "null", "1", "-1", "1.5e3", `"demo"`, `"""block"""`, `"\u{110000}"`,
	`"\ud83d"`, `"unterminated`, "#comment\n", "\xff", "\x00", "\u2028", "@skip(if: true)", "@include(if: $x)", "@defer", "$n: Int", "type", "schema", "extend",
}

// document returns a GraphQL document that is malformed or too costly.
func (c *Corpus) document() string {
	deep := 1 + c.random.IntN(2000)
	switch c.random.IntN(12) {
	case 0, 1, 2:
		var b strings.Builder
		for range 1 + c.random.IntN(60) {
			b.WriteString(pick(c, tokens))
			b.WriteByte(' ')
		}
		return b.String()
	case 3:
		return strings.Repeat("{a", deep)
	case 4:
		return "{popular(first:1){nodes{" + strings.Repeat("user{favorites(first:1){nodes{", deep%40) + "name" + strings.Repeat("}}}", deep%40) + "}}}"
	case 5:
		return "query{...F} fragment F on Query{...G} fragment G on Query{...F}"
	case 6:
		return "{" + strings.Repeat("a:__typename ", deep) + "}"
	case 7:
		return "{__typename " + strings.Repeat("@a ", deep) + "}"
	case 8:
		return `{user(username:` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `){name}}`
	case 9:
		return fmt.Sprintf(`{popular(first:%s,offset:%s){nodes{name}}}`, c.number(), c.number())
	case 10:
		return fmt.Sprintf(`{user(username:%s){name cloudcasts(first:1,after:%s){nodes{key}}}}`, quote(strings.Repeat("../", c.random.IntN(20))), quote(strings.Repeat("A", c.random.IntN(200))))
	default:
		return "query A{__typename} query B{__typename} subscription{x y} mutation{" + strings.Repeat("z", deep) + "}"
	}
}

// form returns a multipart body that violates the multipart request specification.
func (c *Corpus) form() string {
	const operation, files = upload, uploadMap
	switch c.random.IntN(12) {
	case 0:
		return form(c.json(), files, "x")
	case 1:
		return form(operation, c.json(), "x")
	case 2:
		return form(operation, pick(c, []string{`{"0":["variables.in.name"]}`, `{"0":["query"]}`, `{"0":["variables.in.mp3.0"]}`, `{"0":[]}`, `{"1":["variables.in.mp3"]}`, `{"0":["variables.in.mp3"],"1":["variables.in.mp3"]}`, `{"":[""]}`, `[]`, `{"0":"variables.in.mp3"}`}), "x")
	case 3:
		body := form(operation, files, "x")
		return strings.Replace(body, "--X--\r\n", "", 1)
	case 4:
		return strings.ReplaceAll(form(operation, files, "x"), "\r\n", "\n")
	case 5:
		return strings.Replace(form(operation, files, "x"), `name="0"`, pick(c, []string{"", `name=""`, `name="operations"`, `name="map"`, `name="` + strings.Repeat("n", 3000) + `"`, `name="\"`, "name*=utf-8''%FF"}), 1)
	case 6:
		return strings.Replace(form(operation, files, "x"), `filename="a.mp3"`, pick(c, []string{`filename=""`, `filename="../../etc/passwd"`, `filename="` + strings.Repeat("f", 9000) + `"`, "filename=\"a\x00b\"", `filename*=utf-8''%zz`}), 1)
	case 7:
		return "--X\r\n\r\n\r\n--X--" + strings.Repeat("\r\n", c.random.IntN(300))
	case 8:
		return strings.Repeat("--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n", c.random.IntN(1500)) + "--X--\r\n"
	case 9:
		return "--X\r\n" + strings.Repeat("X-Header: value\r\n", c.random.IntN(2000)) + "\r\nbody\r\n--X--\r\n"
	case 10:
		return "--X--\r\n"
	default:
		return form(operation, files, strings.Repeat("audio ", c.random.IntN(20_000))) + strings.Repeat("e", c.random.IntN(1000))
	}
}
