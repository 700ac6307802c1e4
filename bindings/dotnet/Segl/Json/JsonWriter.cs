using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Segl.Json
{
    /// <summary>JSON text that stands in an object as it is.</summary>
    internal sealed class RawJson
    {
        internal RawJson(string text)
        {
            Text = text;
        }

        internal string Text { get; }
    }

    /// <summary>Writes null, bool, numbers, text, lists and objects (lists of pairs with text as key) as JSON.</summary>
    internal static class JsonWriter
    {
        internal static string Write(object? value)
        {
            var text = new StringBuilder();
            Write(text, value);
            return text.ToString();
        }

        internal static string Headers(IReadOnlyList<KeyValuePair<string, string>> headers)
        {
            var text = new StringBuilder("[");
            foreach (KeyValuePair<string, string> header in headers)
            {
                text.Append(text.Length > 1 ? ",[" : "[");
                Quote(text, header.Key);
                text.Append(',');
                Quote(text, header.Value);
                text.Append(']');
            }
            return text.Append(']').ToString();
        }

        private static void Write(StringBuilder text, object? value)
        {
            switch (value)
            {
                case null:
                    text.Append("null");
                    break;
                case bool flag:
                    text.Append(flag ? "true" : "false");
                    break;
                case string words:
                    Quote(text, words);
                    break;
                case RawJson raw:
                    text.Append(raw.Text);
                    break;
                case IEnumerable<KeyValuePair<string, object?>> members:
                    text.Append('{');
                    bool firstMember = true;
                    foreach (KeyValuePair<string, object?> member in members)
                    {
                        text.Append(firstMember ? "" : ",");
                        firstMember = false;
                        Quote(text, member.Key);
                        text.Append(':');
                        Write(text, member.Value);
                    }
                    text.Append('}');
                    break;
                case IEnumerable<object?> items:
                    text.Append('[');
                    bool firstItem = true;
                    foreach (object? item in items)
                    {
                        text.Append(firstItem ? "" : ",");
                        firstItem = false;
                        Write(text, item);
                    }
                    text.Append(']');
                    break;
                case IFormattable number:
                    text.Append(number.ToString(null, CultureInfo.InvariantCulture));
                    break;
                default:
                    throw new ArgumentException("no JSON is made of " + value.GetType());
            }
        }

        private static void Quote(StringBuilder text, string words)
        {
            text.Append('"');
            foreach (char c in words)
            {
                if (c == '"' || c == '\\')
                {
                    text.Append('\\').Append(c);
                }
                else if (c < ' ')
                {
                    text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                }
                else
                {
                    text.Append(c);
                }
            }
            text.Append('"');
        }
    }
}
