// go-oidc and golang.org/x/oauth2 as a relying party, as their documentation has it.
// Talks in lines of JSON, as node/conversation.mjs has them.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

type given struct {
	Issuer       string `json:"issuer"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RedirectURI  string `json:"redirect_uri"`
	Scope        string `json:"scope"`
}

type object = map[string]any

func say(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func converse(ctx context.Context, lines *bufio.Scanner) (object, error) {
	var client given
	lines.Scan()
	if err := json.Unmarshal(lines.Bytes(), &client); err != nil {
		return nil, err
	}
	provider, err := oidc.NewProvider(ctx, client.Issuer)
	if err != nil {
		return nil, err
	}
	config := oauth2.Config{
		ClientID:     client.ClientID,
		ClientSecret: client.ClientSecret,
		Endpoint:     provider.Endpoint(),
		RedirectURL:  client.RedirectURI,
		Scopes:       strings.Fields(client.Scope),
	}
	verifier := oauth2.GenerateVerifier()
	nonce, state := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	say(object{"authorization_url": config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier))})

	lines.Scan()
	callback, err := url.Parse(lines.Text())
	if err != nil {
		return nil, err
	}
	if callback.Query().Get("state") != state {
		return nil, errors.New("another state")
	}
	token, err := config.Exchange(ctx, callback.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, err
	}
	claims, err := verified(ctx, provider, client.ClientID, token)
	if err != nil {
		return nil, err
	}
	if claims["nonce"] != nonce { // go-oidc leaves this to its user
		return nil, errors.New("another nonce")
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, err
	}
	var userinfo object
	if err := info.Claims(&userinfo); err != nil {
		return nil, err
	}
	refreshed, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		return nil, err
	}
	again, err := verified(ctx, provider, client.ClientID, refreshed)
	if err != nil {
		return nil, err
	}
	answer := object{"claims": claims, "userinfo": userinfo, "refreshed_sub": again["sub"]}
	return answer, revoke(provider, client, refreshed, answer)
}

func verified(ctx context.Context, provider *oidc.Provider, clientID string, token *oauth2.Token) (object, error) {
	raw, isThere := token.Extra("id_token").(string)
	if !isThere {
		return nil, errors.New("no ID token")
	}
	idToken, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: clientID}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if idToken.AccessTokenHash != "" {
		if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, err
		}
	}
	var claims object
	return claims, idToken.Claims(&claims)
}

// Introspection and revocation, for which the libraries have no function.
func revoke(provider *oidc.Provider, client given, token *oauth2.Token, answer object) error {
	var endpoints struct {
		Introspection string `json:"introspection_endpoint"`
		Revocation    string `json:"revocation_endpoint"`
	}
	if err := provider.Claims(&endpoints); err != nil {
		return err
	}
	post := func(endpoint, token string) (*http.Response, error) {
		form := strings.NewReader(url.Values{"token": {token}}.Encode())
		request, err := http.NewRequest(http.MethodPost, endpoint, form)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(url.QueryEscape(client.ClientID), url.QueryEscape(client.ClientSecret))
		return http.DefaultClient.Do(request)
	}
	introspect := func(member string) error {
		response, err := post(endpoints.Introspection, token.AccessToken)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		var introspection object
		err = json.NewDecoder(response.Body).Decode(&introspection)
		answer[member] = introspection
		return err
	}
	if err := introspect("introspection"); err != nil {
		return err
	}
	response, err := post(endpoints.Revocation, token.RefreshToken)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("revocation: %s", response.Status)
	}
	return introspect("revoked")
}

func main() {
	answer, err := converse(context.Background(), bufio.NewScanner(os.Stdin))
	if err != nil {
		answer = object{"error": err.Error()}
	}
	say(answer)
}
