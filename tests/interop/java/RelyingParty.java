import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.ErrorResponse;
import com.nimbusds.oauth2.sdk.GeneralException;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.Response;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenIntrospectionRequest;
import com.nimbusds.oauth2.sdk.TokenIntrospectionResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.util.JSONObjectUtils;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.UserInfoRequest;
import com.nimbusds.openid.connect.sdk.UserInfoResponse;
import com.nimbusds.openid.connect.sdk.claims.IDTokenClaimsSet;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.rp.OIDCClientInformation;
import com.nimbusds.openid.connect.sdk.rp.OIDCClientMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.AccessTokenValidator;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import net.minidev.json.JSONObject;

/**
 * The OAuth 2.0 SDK with OpenID Connect of Nimbus as a relying party, with its checks as they come.
 *
 * <p>Talks in lines of JSON, as node/conversation.mjs has them.
 */
public final class RelyingParty {
  private final OIDCProviderMetadata op;
  private final ClientAuthentication authentication;
  private final IDTokenValidator validator;

  private RelyingParty(Issuer issuer, ClientID clientId, Secret secret) throws Exception {
    op = OIDCProviderMetadata.resolve(issuer);
    authentication = new ClientSecretBasic(clientId, secret);
    var metadata = new OIDCClientMetadata();
    metadata.applyDefaults();
    validator = IDTokenValidator.create(op, new OIDCClientInformation(clientId, null, metadata, secret));
  }

  private static Map<String, Object> converse(BufferedReader lines) throws Exception {
    var given = JSONObjectUtils.parse(lines.readLine());
    var clientId = new ClientID(JSONObjectUtils.getString(given, "client_id"));
    var relyingParty =
        new RelyingParty(
            new Issuer(JSONObjectUtils.getString(given, "issuer")),
            clientId,
            new Secret(JSONObjectUtils.getString(given, "client_secret")));
    var redirectUri = JSONObjectUtils.getURI(given, "redirect_uri");
    var state = new State();
    var nonce = new Nonce();
    var verifier = new CodeVerifier();
    var scope = Scope.parse(JSONObjectUtils.getString(given, "scope"));
    var request =
        new AuthenticationRequest.Builder(ResponseType.CODE, scope, clientId, redirectUri)
            .endpointURI(relyingParty.op.getAuthorizationEndpointURI())
            .state(state)
            .nonce(nonce)
            .codeChallenge(verifier, CodeChallengeMethod.S256)
            .build();
    say(Map.of("authorization_url", request.toURI().toString()));

    var answered = successful(AuthenticationResponseParser.parse(new URI(lines.readLine()))).toSuccessResponse();
    if (!state.equals(answered.getState())) {
      throw new GeneralException("another state");
    }
    var grant = new AuthorizationCodeGrant(answered.getAuthorizationCode(), redirectUri, verifier);
    return relyingParty.signedIn(grant, nonce);
  }

  private Map<String, Object> signedIn(AuthorizationCodeGrant grant, Nonce nonce) throws Exception {
    var tokens = tokens(grant);
    var claims = validated(tokens, nonce);
    var userinfo = new UserInfoRequest(op.getUserInfoEndpointURI(), tokens.getAccessToken());
    var user = successful(UserInfoResponse.parse(userinfo.toHTTPRequest().send())).toSuccessResponse().getUserInfo();

    var refreshed = tokens(new RefreshTokenGrant(tokens.getRefreshToken()));
    var refreshedSub = validated(refreshed, null).getSubject(); // which need not repeat the nonce
    var introspection = introspected(refreshed.getAccessToken());
    var refreshToken = refreshed.getRefreshToken();
    new TokenRevocationRequest(op.getRevocationEndpointURI(), authentication, refreshToken)
        .toHTTPRequest()
        .send()
        .ensureStatusCode(200);
    return Map.of(
        "claims", claims.toJSONObject(),
        "userinfo", user.toJSONObject(),
        "refreshed_sub", refreshedSub.getValue(),
        "introspection", introspection,
        "revoked", introspected(refreshed.getAccessToken()));
  }

  private OIDCTokens tokens(AuthorizationGrant grant) throws Exception {
    var request = new TokenRequest.Builder(op.getTokenEndpointURI(), authentication, grant).build();
    var response = successful(OIDCTokenResponseParser.parse(request.toHTTPRequest().send()));
    return ((OIDCTokenResponse) response.toSuccessResponse()).getOIDCTokens();
  }

  private IDTokenClaimsSet validated(OIDCTokens tokens, Nonce nonce) throws Exception {
    var claims = validator.validate(tokens.getIDToken(), nonce);
    if (claims.getAccessTokenHash() != null) {
      var algorithm = ((SignedJWT) tokens.getIDToken()).getHeader().getAlgorithm();
      AccessTokenValidator.validate(tokens.getAccessToken(), algorithm, claims.getAccessTokenHash());
    }
    return claims;
  }

  private JSONObject introspected(AccessToken token) throws Exception {
    var request = new TokenIntrospectionRequest(op.getIntrospectionEndpointURI(), authentication, token);
    var response = successful(TokenIntrospectionResponse.parse(request.toHTTPRequest().send()));
    return response.toSuccessResponse().toJSONObject();
  }

  private static <R extends Response> R successful(R response) throws GeneralException {
    if (response instanceof ErrorResponse refusal) {
      throw new GeneralException(String.valueOf(refusal.getErrorObject()));
    }
    return response;
  }

  private static void trust(Path caFile) throws Exception {
    var store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream file = Files.newInputStream(caFile)) {
      for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
        store.setCertificateEntry("ca-" + store.size(), certificate);
      }
    }
    var trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trusted.init(store);
    var context = SSLContext.getInstance("TLS");
    context.init(null, trusted.getTrustManagers(), null);
    SSLContext.setDefault(context);
  }

  private static void say(Map<String, Object> value) {
    System.out.println(JSONObject.toJSONString(value));
  }

  public static void main(String[] arguments) throws Exception {
    trust(Path.of(System.getenv("CA_FILE")));
    try {
      say(converse(new BufferedReader(new InputStreamReader(System.in))));
    } catch (Exception error) {
      say(Map.of("error", String.valueOf(error)));
    }
  }
}
