package no.segl.internal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON into null, Boolean, String, List, Map and, for numbers, {@link Json.Raw}. What is wrong
 * is an IllegalArgumentException that tells where, and nothing of the text.
 */
final class JsonReader {
  private static final int MAX_DEPTH = 64;

  private final String text;
  private int at;
  private int depth;

  JsonReader(String text) {
    this.text = text;
  }

  @Nullable Object read() {
    Object value = value();
    blanks();
    if (at != text.length()) {
      throw wrong("the end was expected");
    }
    return value;
  }

  private @Nullable Object value() {
    blanks();
    switch (peek()) {
      case '{':
        return nested(this::object);
      case '[':
        return nested(this::array);
      case '"':
        return string();
      case 't':
        word("true");
        return true;
      case 'f':
        word("false");
        return false;
      case 'n':
        word("null");
        return null;
      default:
        return number();
    }
  }

  private Object nested(Supplier<Object> reader) {
    if (++depth > MAX_DEPTH) {
      throw wrong("it is nested too deeply");
    }
    at++;
    Object value = reader.get();
    depth--;
    return value;
  }

  private Map<String, @Nullable Object> object() {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    if (ends('}')) {
      return members;
    }
    do {
      blanks();
      if (peek() != '"') {
        throw wrong("a name was expected");
      }
      String name = string();
      expect(':');
      if (members.containsKey(name)) {
        throw wrong("a name is there twice");
      }
      members.put(name, value());
    } while (more('}'));
    return members;
  }

  private List<@Nullable Object> array() {
    List<@Nullable Object> items = new ArrayList<>();
    if (ends(']')) {
      return items;
    }
    do {
      items.add(value());
    } while (more(']'));
    return items;
  }

  private boolean ends(char end) {
    blanks();
    if (peek() != end) {
      return false;
    }
    at++;
    return true;
  }

  private boolean more(char end) {
    if (ends(end)) {
      return false;
    }
    expect(',');
    return true;
  }

  private String string() {
    StringBuilder out = new StringBuilder();
    at++;
    while (true) {
      char c = peek();
      at++;
      if (c == '"') {
        return out.toString();
      }
      if (c < ' ') {
        throw wrong("a control character is in a text");
      }
      out.append(c == '\\' ? escaped() : c);
    }
  }

  private char escaped() {
    char c = peek();
    at++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        if (at + 4 > text.length() || !text.substring(at, at + 4).matches("[0-9a-fA-F]{4}")) {
          throw wrong("four hexadecimal digits were expected");
        }
        at += 4;
        yield (char) Integer.parseInt(text.substring(at - 4, at), 16);
      }
      default -> throw wrong("an unknown escape");
    };
  }

  private Json.Raw number() {
    int start = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    String number = text.substring(start, at);
    if (!number.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) {
      throw wrong("a value was expected");
    }
    return new Json.Raw(number);
  }

  private void word(String word) {
    if (!text.startsWith(word, at)) {
      throw wrong("a value was expected");
    }
    at += word.length();
  }

  private void expect(char c) {
    blanks();
    if (peek() != c) {
      throw wrong("'" + c + "' was expected");
    }
    at++;
  }

  private char peek() {
    if (at >= text.length()) {
      throw wrong("it ends too early");
    }
    return text.charAt(at);
  }

  private void blanks() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private IllegalArgumentException wrong(String what) {
    return new IllegalArgumentException(what + " at character " + at);
  }
}
