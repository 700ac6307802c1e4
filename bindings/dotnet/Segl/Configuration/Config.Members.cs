using System;
using System.Collections.Generic;

namespace Segl
{
    public sealed partial class Config
    {
        /// <summary>The signature algorithm; the key's usual one when left out.</summary>
        public string? Alg
        {
            get => Text("alg");
            set => Set("alg", value);
        }

        /// <summary>The base URLs of the APIs that <c>segl call</c>, <c>segl_client_send</c> and <c>segl::apis::ApiRequest</c> may send this client's tokens to: those URLs and all below them. Left out, any https URL.</summary>
        public IReadOnlyList<string>? Apis
        {
            get => List("apis");
            set => SetList("apis", value);
        }

        /// <summary>The <c>aud</c> claim, instead of the service's usual one.</summary>
        public string? Audience
        {
            get => Text("audience");
            set => Set("audience", value);
        }

        /// <summary>Whether <c>aud</c> is a string or an array of one.</summary>
        public AudienceForm? AudienceForm
        {
            get => Word<AudienceForm>("audience_form");
            set => SetWord("audience_form", value);
        }

        /// <summary>Seconds by which <c>iat</c> lies before the time of signing, 0 to 9, against clocks that are a little ahead. Default 2 for Digdir's services, else 0.</summary>
        public long? BackdateSeconds
        {
            get => Number("backdate_seconds");
            set => Set("backdate_seconds", value);
        }

        /// <summary><c>file:</c> URI of the certificate (PEM with the chain, or DER) for <c>x5c</c>. Left out, a certificate beside the key (token object, PKCS#12, PEM) is used.</summary>
        public string? Certificate
        {
            get => Text("certificate");
            set => Set("certificate", value);
        }

        /// <summary>The client's identifier at the service. DNB gives it after registration; until then it may be left out for <c>segl register dnb</c>. An <c>eseal</c> needs none.</summary>
        public string? ClientId
        {
            get => Text("client_id");
            set => Set("client_id", value);
        }

        /// <summary>Time for the name look-up, and again for connection and TLS, in milliseconds. Default 5,000.</summary>
        public long? ConnectTimeoutMs
        {
            get => Number("connect_timeout_ms");
            set => Set("connect_timeout_ms", value);
        }

        /// <summary>Organisation number of the consumer on whose behalf tokens are requested (Maskinporten delegation), unless a request names its own, or <c>null</c> for none.</summary>
        public string? ConsumerOrg
        {
            get => Text("consumer_org");
            set => Set("consumer_org", value);
        }

        /// <summary>The keys to which services encrypt their answers, as the banks of DSOP Control do.</summary>
        public DecryptionConfig? Decryption
        {
            get => Nested("decryption", members => new DecryptionConfig(members));
            set => SetNested("decryption", value);
        }

        /// <summary>Takes the token endpoint from the issuer's metadata (RFC 8414; DNB's and HelseID's is OpenID Connect Discovery, as is that of a generic server which answers 404 for the former), which is read at the first request and every 24 hours. A client with a client certificate uses the one in <c>mtls_endpoint_aliases</c> (RFC 8705), if there is one. Excludes <c>token_endpoint</c>.</summary>
        public bool? Discovery
        {
            get => Flag("discovery");
            set => Set("discovery", value);
        }

        /// <summary>Tokens that are bound to a key of the client (DPoP, RFC 9449): profile <c>generic</c> when this is set, <c>helseid</c> always.</summary>
        public DpopConfig? Dpop
        {
            get => Nested("dpop", members => new DpopConfig(members));
            set => SetNested("dpop", value);
        }

        /// <summary>Which environment of the service: sets issuer, audience and endpoint.</summary>
        public ServiceEnvironment? Environment
        {
            get => Word<ServiceEnvironment>("environment");
            set => SetWord("environment", value);
        }

        /// <summary>The key is one of a European eSeal (Maskinporten's pilot): <c>x5c</c> has the whole chain, <c>kid</c> is excluded, and <c>client_id</c> may be left out.</summary>
        public bool? Eseal
        {
            get => Flag("eseal");
            set => Set("eseal", value);
        }

        /// <summary>How the assertion is used (profile <c>generic</c> only).</summary>
        public Grant? Grant
        {
            get => Word<Grant>("grant");
            set => SetWord("grant", value);
        }

        /// <summary>The authorisation server's issuer identifier, instead of the environment's.</summary>
        public string? Issuer
        {
            get => Text("issuer");
            set => Set("issuer", value);
        }

        /// <summary>The form of <c>jti</c>.</summary>
        public JtiForm? Jti
        {
            get => Word<JtiForm>("jti");
            set => SetWord("jti", value);
        }

        /// <summary>The URI of the private key: <c>pkcs11:…</c>, <c>awskms:…</c> or <c>file:…</c>. Left out when <c>keys</c> is set, or when the program gives a signer of its own.</summary>
        public string? Key
        {
            get => Text("key");
            set => Set("key", value);
        }

        /// <summary>Several keys, used in order: a later one signs while those before it cannot, or the service refuses them. Excludes <c>key</c>, <c>kid</c>, <c>certificate</c>, <c>x5c</c>, <c>alg</c> and <c>registered_until</c>, which stand in each entry.</summary>
        public IReadOnlyList<KeyConfig>? Keys
        {
            get => NestedList("keys", members => new KeyConfig(members));
            set => SetNestedList("keys", value);
        }

        /// <summary>The <c>kid</c> under which the public key is registered. DNB's default is the RFC 7638 thumbprint.</summary>
        public string? Kid
        {
            get => Text("kid");
            set => Set("kid", value);
        }

        /// <summary>Life of an assertion, <c>exp - iat</c>, in seconds.</summary>
        public long? LifetimeSeconds
        {
            get => Number("lifetime_seconds");
            set => Set("lifetime_seconds", value);
        }

        /// <summary>The most bytes that the body of an answer may have, of the token endpoint and of APIs. Default 1,048,576.</summary>
        public long? MaxResponseBytes
        {
            get => Number("max_response_bytes");
            set => Set("max_response_bytes", value);
        }

        /// <summary>Where the metadata is, when it is not where the issuer's should be. As <c>discovery</c> otherwise.</summary>
        public string? Metadata
        {
            get => Text("metadata");
            set => Set("metadata", value);
        }

        /// <summary>Adds <c>nbf</c>, equal to <c>iat</c>. Off by default.</summary>
        public bool? Nbf
        {
            get => Flag("nbf");
            set => Set("nbf", value);
        }

        /// <summary>Leaves <c>kid</c> out of the assertion's header (profile <c>dnb</c> only).</summary>
        public bool? OmitKid
        {
            get => Flag("omit_kid");
            set => Set("omit_kid", value);
        }

        /// <summary>Organisation number of the client itself. A certificate must be that organisation's, and <c>consumer_org</c> another. Left out, the certificate's counts.</summary>
        public string? Orgno
        {
            get => Text("orgno");
            set => Set("orgno", value);
        }

        /// <summary>Whose rules apply.</summary>
        public Profile? Profile
        {
            get => Word<Profile>("profile");
            set => SetWord("profile", value);
        }

        /// <summary>When the registration under <c>kid</c> ends: a date such as "2027-11-20", which stands for its first second in UTC, or RFC 3339. Maskinporten's ends a year after the key was registered or registered again. Nothing is refused after it; see <c>warn_days</c>.</summary>
        public DateTimeOffset? RegisteredUntil
        {
            get => Time("registered_until");
            set => SetTime("registered_until", value);
        }

        /// <summary><c>aud</c> of the registration JWT (profile <c>dnb</c> only).</summary>
        public string? RegistrationAudience
        {
            get => Text("registration_audience");
            set => Set("registration_audience", value);
        }

        /// <summary>Life of the registration JWT in seconds, at most 30 days (profile <c>dnb</c> only).</summary>
        public long? RegistrationLifetimeSeconds
        {
            get => Number("registration_lifetime_seconds");
            set => Set("registration_lifetime_seconds", value);
        }

        /// <summary><c>resource</c> (RFC 8707) of every token, unless a request names its own.</summary>
        public IReadOnlyList<string>? Resource
        {
            get => List("resource");
            set => SetList("resource", value);
        }

        /// <summary>Whether <c>resource</c> is an array (default) or, when there is one, a string.</summary>
        public AudienceForm? ResourceForm
        {
            get => Word<AudienceForm>("resource_form");
            set => SetWord("resource_form", value);
        }

        /// <summary>Scopes of every token, unless a request names its own.</summary>
        public IReadOnlyList<string>? Scopes
        {
            get => List("scopes");
            set => SetList("scopes", value);
        }

        /// <summary>Base URL of Digdir's administration API, instead of the environment's, for <c>segl register maskinporten</c> (profile <c>maskinporten</c> only).</summary>
        public string? SelfService
        {
            get => Text("self_service");
            set => Set("self_service", value);
        }

        /// <summary>Sends <c>client_id</c> as a form parameter too (client assertions only).</summary>
        public bool? SendClientId
        {
            get => Flag("send_client_id");
            set => Set("send_client_id", value);
        }

        /// <summary>The services behind this client's tokens, by name, where they differ from what segl knows of them.</summary>
        public IReadOnlyDictionary<string, ServiceConfig>? Services
        {
            get => NestedMap("services", members => new ServiceConfig(members));
            set => SetNestedMap("services", value);
        }

        /// <summary>A cache that the instances of a service share, so that not each of them fetches its own token.</summary>
        public SharedCacheConfig? SharedCache
        {
            get => Nested("shared_cache", members => new SharedCacheConfig(members));
            set => SetNested("shared_cache", value);
        }

        /// <summary>Time for one try to get a token, signing included, in milliseconds. Default 10,000. A call goes on trying until its own time is over.</summary>
        public long? TimeoutMs
        {
            get => Number("timeout_ms");
            set => Set("timeout_ms", value);
        }

        /// <summary>How the client speaks TLS: its certificate, and what it expects of servers.</summary>
        public TlsConfig? Tls
        {
            get => Nested("tls", members => new TlsConfig(members));
            set => SetNested("tls", value);
        }

        /// <summary>The token endpoint, instead of the environment's.</summary>
        public string? TokenEndpoint
        {
            get => Text("token_endpoint");
            set => Set("token_endpoint", value);
        }

        /// <summary>How the client proves who it is (profile <c>generic</c> only). Default <c>private_key_jwt</c>. With a method of TLS it is the client certificate of <c>tls</c> alone: there is no assertion, and no setting of one.</summary>
        public ClientAuthentication? TokenEndpointAuthMethod
        {
            get => Word<ClientAuthentication>("token_endpoint_auth_method");
            set => SetWord("token_endpoint_auth_method", value);
        }

        /// <summary>The <c>typ</c> header. An empty text leaves it out.</summary>
        public string? Typ
        {
            get => Text("typ");
            set => Set("typ", value);
        }

        /// <summary>How many days before a certificate or a registration of this client ends warnings begin: in the log, once a day while assertions are made, and in the health of its keys. Default 30; 0 for none.</summary>
        public long? WarnDays
        {
            get => Number("warn_days");
            set => Set("warn_days", value);
        }

        /// <summary>What goes into <c>x5c</c>: the leaf only (default) or the whole chain.</summary>
        public X5cForm? X5c
        {
            get => Word<X5cForm>("x5c");
            set => SetWord("x5c", value);
        }

        /// <summary>Adds <c>x5t#S256</c>, the certificate's thumbprint, to the header.</summary>
        public bool? X5tS256
        {
            get => Flag("x5t_s256");
            set => Set("x5t_s256", value);
        }
    }
}
