package emulator_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"mixcloud-graphql/mixcloud/emulator"
)

func Example() {
	e, err := emulator.New(emulator.WithSeed(1))
	if err != nil {
		log.Fatal(err)
	}
	srv := httptest.NewServer(e)
	defer srv.Close()

	res, err := http.Get(srv.URL + "/spartacus/")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	var user struct{ Key, Username string }
	if err := json.NewDecoder(res.Body).Decode(&user); err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Header.Get("Content-Type"))
	fmt.Println(user.Key, user.Username)
	fmt.Printf("%+v\n", e.Requests())
	// Output:
	// text/javascript; charset=utf-8
	// /spartacus/ spartacus
	// [{Method:GET Path:/spartacus/ Query: Status:200}]
}

// A fault changes the next responses, or those of a path, until it is cleared.
func ExampleEmulator_Fail() {
	e, err := emulator.New()
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Fail(emulator.Fault{Match: "/demo/*", Times: 1, Kind: emulator.FaultHTML502}); err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: e.Transport()}
	for range 2 {
		res, err := client.Get("https://api.mixcloud.com/demo/cloudcasts/")
		if err != nil {
			log.Fatal(err)
		}
		res.Body.Close()
		fmt.Println(res.Status)
	}
	// Output:
	// 502 Bad Gateway
	// 200 OK
}
