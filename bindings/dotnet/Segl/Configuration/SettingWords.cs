namespace Segl
{
    /// <summary>A claim that servers want as a string or as an array of one.</summary>
    public enum AudienceForm
    {
        /// <summary><c>"a"</c></summary>
        String,

        /// <summary><c>["a"]</c></summary>
        Array,
    }

    /// <summary>How a client proves who it is at the token endpoint, in the words of its registration (RFC 7591 section 2, RFC 8705 section 2).</summary>
    public enum ClientAuthentication
    {
        /// <summary>By an assertion that its key signs.</summary>
        PrivateKeyJwt,

        /// <summary>By a client certificate that an authority issued.</summary>
        TlsClientAuth,

        /// <summary>By a client certificate that is registered itself.</summary>
        SelfSignedTlsClientAuth,
    }

    /// <summary>How the content of a JWE is encrypted (RFC 7518 section 5). Each of them finds out whether the content was changed.</summary>
    public enum ContentEncryption
    {
        /// <summary>AES-GCM with a key of 256 bits (<c>A256GCM</c>).</summary>
        A256Gcm,

        /// <summary>AES-CBC with a key of 128 bits, and HMAC with SHA-256 (<c>A128CBC-HS256</c>).</summary>
        A128CbcHs256,

        /// <summary>AES-CBC with a key of 256 bits, and HMAC with SHA-512 (<c>A256CBC-HS512</c>).</summary>
        A256CbcHs512,

        /// <summary>AES-GCM with a key of 128 bits (<c>A128GCM</c>).</summary>
        A128Gcm,
    }

    /// <summary>An environment of a service.</summary>
    public enum ServiceEnvironment
    {
        /// <summary>The service's test environment.</summary>
        Test,

        /// <summary>Production.</summary>
        Prod,
    }

    /// <summary>How an assertion is used (RFC 7523).</summary>
    public enum Grant
    {
        /// <summary>As an authorisation grant (section 2.1).</summary>
        JwtBearer,

        /// <summary>As client authentication (section 2.2, <c>private_key_jwt</c>) for the grant <c>client_credentials</c>.</summary>
        ClientCredentials,
    }

    /// <summary>The form of <c>jti</c>.</summary>
    public enum JtiForm
    {
        /// <summary>A random UUID (version 4).</summary>
        Uuid,

        /// <summary>The 16 bytes of a random UUID in base64url, 22 characters.</summary>
        Base64url,
    }

    /// <summary>How the key of a JWE's content is encrypted to an RSA key (RFC 7518 section 4.3). There is no RSA1_5: an answer about what was wrong with its padding gives the content away (RFC 3218), so it cannot be asked for.</summary>
    public enum KeyEncryption
    {
        /// <summary>RSAES-OAEP with SHA-256, and MGF1 with SHA-256 (<c>RSA-OAEP-256</c>).</summary>
        RsaOaep256,

        /// <summary>RSAES-OAEP with SHA-1, and MGF1 with SHA-1 (<c>RSA-OAEP</c>). Its strength does not rest on SHA-1 being free of collisions.</summary>
        RsaOaep,
    }

    /// <summary>The services that segl knows.</summary>
    public enum Profile
    {
        /// <summary>Maskinporten's JWT grant.</summary>
        Maskinporten,

        /// <summary>The same at Skyporten, for cloud services.</summary>
        Skyporten,

        /// <summary>ID-porten's client assertion, for use in the authorization code flow.</summary>
        Idporten,

        /// <summary>DNB's client assertion and client registration.</summary>
        Dnb,

        /// <summary>HelseID's client assertion, and tokens bound by DPoP.</summary>
        Helseid,

        /// <summary>Any RFC 7523 server.</summary>
        Generic,
    }

    /// <summary>A version of TLS.</summary>
    public enum TlsVersion
    {
        /// <summary>TLS 1.2 (RFC 5246).</summary>
        Tls12,

        /// <summary>TLS 1.3 (RFC 8446).</summary>
        Tls13,
    }

    /// <summary>How much of the certificate chain goes into <c>x5c</c>.</summary>
    public enum X5cForm
    {
        /// <summary>The certificate of the key only.</summary>
        Leaf,

        /// <summary>That certificate and its issuers, in order.</summary>
        Chain,

        /// <summary>No <c>x5c</c>, even when a certificate is beside the key.</summary>
        None,
    }
}
