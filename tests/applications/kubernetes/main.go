// The authenticator of the Kubernetes API server, with the command line that kube-apiserver has for it.
//
// It serves who a bearer token is, on the port of the environment.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"os"

	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
)

func main() {
	issuer := flag.String("oidc-issuer-url", "", "the issuer")
	clientID := flag.String("oidc-client-id", "", "the audience")
	username := flag.String("oidc-username-claim", "sub", "the claim with the user's name")
	groups := flag.String("oidc-groups-claim", "", "the claim with the user's groups")
	prefix := flag.String("oidc-groups-prefix", "", "what the groups are prefixed with")
	flag.Parse()

	// As kube-apiserver does: names that are not e-mail addresses are prefixed with the issuer.
	namePrefix := ""
	if *username != "email" {
		namePrefix = *issuer + "#"
	}
	audiences := []string{*clientID}
	validator, err := oidc.New(context.Background(), oidc.Options{
		JWTAuthenticator: apiserver.JWTAuthenticator{
			Issuer: apiserver.Issuer{URL: *issuer, Audiences: audiences},
			ClaimMappings: apiserver.ClaimMappings{
				Username: apiserver.PrefixedClaimOrExpression{Claim: *username, Prefix: &namePrefix},
				Groups:   apiserver.PrefixedClaimOrExpression{Claim: *groups, Prefix: prefix},
			},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	authenticator := bearertoken.New(validator)
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		known, isKnown, err := authenticator.AuthenticateRequest(request)
		if err != nil || !isKnown {
			log.Print(err)
			http.Error(response, "Unauthorized", http.StatusUnauthorized)
			return
		}
		user := known.User
		json.NewEncoder(response).Encode(map[string]any{"user": user.GetName(), "groups": user.GetGroups()})
	})
	log.Fatal(http.ListenAndServe("localhost:"+os.Getenv("PORT"), nil))
}
