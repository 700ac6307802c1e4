using System;
using Segl.Json;

namespace Segl
{
    /// <summary>The settings of one client: the words of segl.toml, with types. What is null is left out.</summary>
    /// <remarks>
    /// Values are checked when a client is made of them, which names the setting at fault. A setting of a newer segl, in JSON,
    /// is kept as it is.
    /// </remarks>
    public sealed partial class Config : Settings
    {
        /// <summary>Nothing is set; a <see cref="Profile"/> is needed.</summary>
        public Config()
        {
        }

        private Config(JsonObject members)
            : base(members)
        {
        }

        /// <summary>The settings in JSON text, as docs/config.schema.json has them under ClientSettings.</summary>
        /// <param name="json">A JSON object.</param>
        /// <returns>The settings.</returns>
        /// <exception cref="ArgumentException">It is not a JSON object. The message has nothing of the text.</exception>
        public static Config FromJson(string json)
        {
            try
            {
                return JsonReader.Read(json ?? throw new ArgumentNullException(nameof(json))) is JsonObject members
                    ? new Config(members)
                    : throw new ArgumentException("the settings of a client are a JSON object", nameof(json));
            }
            catch (FormatException exception)
            {
                throw new ArgumentException(exception.Message, nameof(json));
            }
        }
    }
}
