using System.Collections.Generic;
using Segl.Json;

namespace Segl
{
    /// <summary>Where a service is and what it wants to be sent, where that differs from what segl knows.</summary>
    public sealed class ServiceConfig : Settings
    {
        /// <summary>Nothing is set.</summary>
        public ServiceConfig()
        {
        }

        internal ServiceConfig(JsonObject members)
            : base(members)
        {
        }

        /// <summary>Where the key is that some services want beside a token: <c>file:/ABSOLUTE/PATH</c> or <c>env:NAME</c>. It is <c>{api_key}</c> in <c>headers</c>.</summary>
        public string? ApiKey
        {
            get => Text("api_key");
            set => Set("api_key", value);
        }

        /// <summary>The base URL, instead of that of the client's environment.</summary>
        public string? BaseUrl
        {
            get => Text("base_url");
            set => Set("base_url", value);
        }

        /// <summary>Headers by name, instead of or beside the service's usual ones. In a value, <c>{access_token}</c> and the placeholders that <c>docs/services.md</c> names for the service stand for what belongs there; an empty value leaves the header out.</summary>
        public IReadOnlyDictionary<string, string>? Headers
        {
            get => Map("headers");
            set => SetMap("headers", value);
        }
    }
}
