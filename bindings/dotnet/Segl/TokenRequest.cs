using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using Segl.Interop;
using Segl.Json;

namespace Segl
{
    /// <summary>What a token or assertion is asked for, where that is not what the client's settings say. It does not change; each <c>With…</c> makes another.</summary>
    /// <remarks>Keep it and use it again: it is serialised once, and the last token for it is at hand.</remarks>
    public sealed class TokenRequest
    {
        /// <summary>What the client's settings say.</summary>
        public static readonly TokenRequest Default = new TokenRequest(new JsonObject());

        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        private readonly JsonObject _members;

        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        private byte[]? _utf8;

        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        private HeldToken? _held;

        private TokenRequest(JsonObject members)
        {
            _members = members;
        }

        /// <summary>The scopes; null for those of the settings.</summary>
        public IReadOnlyList<string>? Scopes => List("scopes");

        /// <summary><c>resource</c> (RFC 8707); null for that of the settings.</summary>
        public IReadOnlyList<string>? Resource => List("resource");

        /// <summary>The organisation number of the consumer; null for none, or that of the settings.</summary>
        public string? ConsumerOrg => (string?)_members["consumer_org"];

        /// <summary>Whether there is to be no consumer, whatever the settings say.</summary>
        public bool HasNoConsumerOrg => _members.Has("consumer_org") && ConsumerOrg is null;

        /// <summary>The personal identifier (<c>pid</c>) that the token is for.</summary>
        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        public string? Pid => (string?)_members["pid"];

        /// <summary><c>authorization_details</c> (RFC 9396), a JSON array.</summary>
        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        public string? AuthorizationDetails => (_members["authorization_details"] as RawJson)?.Text;

        /// <summary>The same request for these scopes.</summary>
        /// <param name="scopes">The scopes.</param>
        /// <returns>Another request.</returns>
        public TokenRequest WithScopes(params string[] scopes) => With("scopes", Copy(scopes, nameof(scopes)));

        /// <summary>The same request for these resources (RFC 8707).</summary>
        /// <param name="resource">The resources.</param>
        /// <returns>Another request.</returns>
        public TokenRequest WithResource(params string[] resource) => With("resource", Copy(resource, nameof(resource)));

        /// <summary>The same request on behalf of a consumer (delegation).</summary>
        /// <param name="consumerOrg">The consumer's organisation number.</param>
        /// <returns>Another request.</returns>
        public TokenRequest WithConsumerOrg(string consumerOrg) => With("consumer_org", consumerOrg ?? throw new ArgumentNullException(nameof(consumerOrg)));

        /// <summary>The same request on behalf of nobody, whatever the settings say.</summary>
        /// <returns>Another request.</returns>
        public TokenRequest WithoutConsumerOrg() => With("consumer_org", null);

        /// <summary>The same request for a person.</summary>
        /// <param name="pid">The personal identifier.</param>
        /// <returns>Another request.</returns>
        public TokenRequest WithPid(string pid) => With("pid", pid ?? throw new ArgumentNullException(nameof(pid)));

        /// <summary>The same request with <c>authorization_details</c> (RFC 9396).</summary>
        /// <param name="json">A JSON array of objects.</param>
        /// <returns>Another request.</returns>
        /// <exception cref="ArgumentException">It is not JSON.</exception>
        public TokenRequest WithAuthorizationDetails(string json)
        {
            try
            {
                JsonReader.Read(json ?? throw new ArgumentNullException(nameof(json)));
            }
            catch (FormatException exception)
            {
                throw new ArgumentException(exception.Message, nameof(json));
            }
            return With("authorization_details", new RawJson(json));
        }

        /// <summary>The request as segl reads it.</summary>
        /// <returns>A JSON object.</returns>
        public string ToJson() => JsonWriter.Write(_members);

        /// <summary>The scopes; no identifier of a person or an organisation.</summary>
        /// <returns>For example "TokenRequest(demo:konto.read)".</returns>
        public override string ToString() => "TokenRequest(" + string.Join(" ", Scopes ?? Array.Empty<string>()) + ")";

        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        internal byte[] Utf8 => _utf8 ??= NativeInput.Utf8(ToJson());

        /// <summary>The last token for this request of the client with that identity.</summary>
        internal Token? HeldFor(object client)
        {
            HeldToken? held = Volatile.Read(ref _held);
            return held != null && held.Client == client ? held.Token : null;
        }

        internal void Hold(object client, Token token) => Volatile.Write(ref _held, new HeldToken(client, token));

        private TokenRequest With(string name, object? value)
        {
            var members = new JsonObject();
            foreach (KeyValuePair<string, object?> member in _members)
            {
                members[member.Key] = member.Value;
            }
            members[name] = value;
            return new TokenRequest(members);
        }

        private IReadOnlyList<string>? List(string name) => (_members[name] as IEnumerable<object?>)?.Cast<string>().ToArray();

        private static object?[] Copy(string[] items, string name)
        {
            if (items is null || items.Any(item => item is null))
            {
                throw new ArgumentNullException(name);
            }
            return items.ToArray<object?>();
        }

        private sealed class HeldToken
        {
            internal HeldToken(object client, Token token)
            {
                Client = client;
                Token = token;
            }

            internal object Client { get; }

            internal Token Token { get; }
        }
    }
}
