using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Segl.Json
{
    /// <summary>Reads JSON (RFC 8259): null, bool, long, double, string, List of values, and JsonObject.</summary>
    internal sealed class JsonReader
    {
        private const int MaximumDepth = 64;

        private readonly string _text;
        private int _at;
        private int _depth;

        private JsonReader(string text)
        {
            _text = text;
        }

        /// <exception cref="FormatException">It is not JSON; the message says where, and nothing of what stands there.</exception>
        internal static object? Read(string text)
        {
            var reader = new JsonReader(text);
            object? value = reader.Value();
            reader.Blank();
            return reader._at == text.Length ? value : throw reader.Wrong();
        }

        private object? Value()
        {
            Blank();
            if (_at >= _text.Length || ++_depth > MaximumDepth)
            {
                throw Wrong();
            }
            object? value;
            switch (_text[_at])
            {
                case '{':
                    value = Object();
                    break;
                case '[':
                    value = List();
                    break;
                case '"':
                    value = Words();
                    break;
                case 't':
                    value = Word("true", true);
                    break;
                case 'f':
                    value = Word("false", false);
                    break;
                case 'n':
                    value = Word("null", null);
                    break;
                default:
                    value = Number();
                    break;
            }
            _depth--;
            return value;
        }

        private JsonObject Object()
        {
            var members = new JsonObject();
            _at++;
            if (Is('}'))
            {
                return members;
            }
            do
            {
                Blank();
                string name = Words();
                Expect(':');
                if (members.Has(name))
                {
                    throw Wrong();
                }
                members[name] = Value();
            }
            while (Is(','));
            Expect('}');
            return members;
        }

        private List<object?> List()
        {
            var items = new List<object?>();
            _at++;
            if (Is(']'))
            {
                return items;
            }
            do
            {
                items.Add(Value());
            }
            while (Is(','));
            Expect(']');
            return items;
        }

        private string Words()
        {
            if (_at >= _text.Length || _text[_at++] != '"')
            {
                throw Wrong();
            }
            var words = new StringBuilder();
            while (_at < _text.Length && _text[_at] != '"')
            {
                char c = _text[_at++];
                if (c < ' ')
                {
                    throw Wrong();
                }
                words.Append(c == '\\' ? Escape() : c);
            }
            Expect('"');
            return words.ToString();
        }

        private char Escape()
        {
            char c = _at < _text.Length ? _text[_at++] : '\0';
            int at = "\"\\/bfnrt".IndexOf(c);
            if (at >= 0)
            {
                return "\"\\/\b\f\n\r\t"[at];
            }
            if (c != 'u' || _at + 4 > _text.Length || !ushort.TryParse(_text.Substring(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit))
            {
                throw Wrong();
            }
            _at += 4;
            return (char)unit;
        }

        private object Number()
        {
            int start = _at;
            while (_at < _text.Length && "+-.0123456789eE".IndexOf(_text[_at]) >= 0)
            {
                _at++;
            }
            string number = _text.Substring(start, _at - start);
            if (long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole))
            {
                return whole;
            }
            return double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) ? real : throw Wrong();
        }

        private object? Word(string word, object? value)
        {
            if (string.CompareOrdinal(_text, _at, word, 0, word.Length) != 0)
            {
                throw Wrong();
            }
            _at += word.Length;
            return value;
        }

        private bool Is(char c)
        {
            Blank();
            if (_at >= _text.Length || _text[_at] != c)
            {
                return false;
            }
            _at++;
            return true;
        }

        private void Expect(char c)
        {
            if (!Is(c))
            {
                throw Wrong();
            }
        }

        private void Blank()
        {
            while (_at < _text.Length && " \t\r\n".IndexOf(_text[_at]) >= 0)
            {
                _at++;
            }
        }

        private FormatException Wrong() => new FormatException("this is not JSON, or a member stands there twice, at character " + _at);
    }
}
