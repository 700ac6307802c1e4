using System.Text.Json;

namespace Segl.Tests
{
    internal static class AssertionTests
    {
        public static void AnAssertionOfAKeyInTheHsm()
        {
            using TokenClient client = Services.Client("bank");
            using Signer signer = Signer.Open(Services.Get("SEGL_TEST_RSA_KEY"));
            var jwt = new Jwt(client.Assertion(), signer.PublicJwk);
            Check.Equal("bank", jwt.Claims.GetProperty("iss").GetString());
            Check.Equal("demo:konto.read", jwt.Claims.GetProperty("scope").GetString());
            var other = new Jwt(client.Assertion(TokenRequest.Default.WithScopes("a:b").WithConsumerOrg("974760673")), signer.PublicJwk);
            Check.Equal("a:b", other.Claims.GetProperty("scope").GetString());
            Check.Equal("974760673", other.Claims.GetProperty("consumer_org").GetString());
            Check.That(other.Claims.GetProperty("jti").GetString() != jwt.Claims.GetProperty("jti").GetString(), "another jti");
        }

        public static void TheRegistrationForDnb()
        {
            using TokenClient client = Services.Client("dnb");
            using Signer signer = Signer.Open(Services.Get("SEGL_TEST_EC_KEY"));
            var jwt = new Jwt(client.Registration(), signer.PublicJwk);
            Check.Equal("ES256", jwt.Header.GetProperty("alg").GetString());
            Check.Equal(JsonDocument.Parse(signer.PublicJwk).RootElement.GetProperty("x").GetString(), jwt.Claims.GetProperty("cnf").GetProperty("jwk").GetProperty("x").GetString());
            Check.Equal(3, client.RegistrationAsync().GetAwaiter().GetResult().Split('.').Length);
            using TokenClient bank = Services.Client("bank");
            Check.Fails(ErrorCode.Unsupported, () => bank.Registration());
        }

        public static void ATokenFromDnb()
        {
            using TokenClient client = Services.Client("dnb");
            Check.That(client.Token().AccessToken.Length > 20, "a token");
        }

        public static void ProofsAndNonces()
        {
            using TokenClient client = Services.Client("dpop");
            Token token = client.Token();
            Check.That(token.Dpop && token.Authorization.StartsWith("DPoP "), "a DPoP token");
            string url = "https://api.example/things";
            client.DpopNonce(url, "nonce-1");
            string proof = client.DpopProof("GET", url + "?q=1", token.AccessToken);
            string jwk = JsonDocument.Parse(Jwt.Decode(proof.Split('.')[0])).RootElement.GetProperty("jwk").ToString();
            var jwt = new Jwt(proof, jwk);
            Check.Equal(url, jwt.Claims.GetProperty("htu").GetString());
            Check.Equal("GET", jwt.Claims.GetProperty("htm").GetString());
            Check.Equal("nonce-1", jwt.Claims.GetProperty("nonce").GetString());
            Check.That(jwt.Claims.TryGetProperty("ath", out _), "bound to the token");
            Check.That(!new Jwt(client.DpopProof("POST", url), jwk).Claims.TryGetProperty("ath", out _), "no token, no ath");
            Check.Fails(ErrorCode.InvalidArgument, () => client.DpopProof("get", url));
            Check.Fails(ErrorCode.InvalidArgument, () => client.DpopNonce(url, "no nonce"));
            using TokenClient bank = Services.Client("bank");
            Check.Fails(ErrorCode.Unsupported, () => bank.DpopProof("GET", url));
        }
    }
}
