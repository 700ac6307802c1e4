package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import no.segl.AudienceForm;
import no.segl.ClientAuthentication;
import no.segl.ClientKey;
import no.segl.Config;
import no.segl.ContentEncryption;
import no.segl.DecryptionKey;
import no.segl.DecryptionSettings;
import no.segl.DpopSettings;
import no.segl.Environment;
import no.segl.ErrorCode;
import no.segl.Grant;
import no.segl.JtiForm;
import no.segl.KeyEncryption;
import no.segl.Profile;
import no.segl.SeglException;
import no.segl.ServiceSettings;
import no.segl.SharedCacheSettings;
import no.segl.TlsSettings;
import no.segl.TlsVersion;
import no.segl.TokenClient;
import no.segl.X5cForm;
import org.junit.jupiter.api.Test;

/** Typed settings, against docs/config.schema.json. */
class ConfigTest {
  private static Map<String, Object> definition(String name) throws Exception {
    String text =
        Files.readString(
            Path.of(System.getProperty("segl.test.root"), "docs/config.schema.json"));
    Map<?, ?> all = (Map<?, ?>) Given.json(text).get("$defs");
    @SuppressWarnings("unchecked")
    Map<String, Object> found = (Map<String, Object>) all.get(name);
    return found;
  }

  /** Each setting has a method of its name, and no method is without its setting. */
  @Test
  void everySettingHasItsMethod() throws Exception {
    Map<String, Class<?>> builders =
        Map.of(
            "ClientSettings", Config.Builder.class,
            "ClientKey", ClientKey.Builder.class,
            "TlsSettings", TlsSettings.Builder.class,
            "DecryptionSettings", DecryptionSettings.Builder.class,
            "DecryptionKey", DecryptionKey.Builder.class,
            "DpopSettings", DpopSettings.Builder.class,
            "ServiceSettings", ServiceSettings.Builder.class,
            "SharedCacheSettings", SharedCacheSettings.Builder.class);
    Map<String, String> inFactory =
        Map.of(
            "ClientSettings", "profile",
            "ClientKey", "key",
            "DecryptionSettings", "key",
            "DecryptionKey", "key");
    for (String name : builders.keySet()) {
      Set<String> settings =
          ((Map<?, ?>) definition(name).get("properties"))
              .keySet().stream().map(key -> camel((String) key)).collect(Collectors.toSet());
      settings.remove(inFactory.getOrDefault(name, ""));
      Set<String> methods =
          Stream.of(builders.get(name).getDeclaredMethods())
              .filter(method -> Modifier.isPublic(method.getModifiers()))
              .map(Method::getName)
              .collect(Collectors.toSet());
      methods.remove("build");
      assertEquals(new TreeSet<>(settings), new TreeSet<>(methods), name);
    }
  }

  @Test
  void everyWordHasItsConstant() throws Exception {
    Map<String, Class<? extends Enum<?>>> enums =
        Map.of(
            "AudienceForm", AudienceForm.class,
            "ClientAuthentication", ClientAuthentication.class,
            "ContentEncryption", ContentEncryption.class,
            "Environment", Environment.class,
            "Grant", Grant.class,
            "JtiForm", JtiForm.class,
            "KeyEncryption", KeyEncryption.class,
            "ProfileName", Profile.class,
            "TlsVersion", TlsVersion.class,
            "X5cForm", X5cForm.class);
    for (String name : enums.keySet()) {
      Set<Object> words =
          ((List<?>) definition(name).get("oneOf"))
              .stream().map(word -> ((Map<?, ?>) word).get("const")).collect(Collectors.toSet());
      Set<Object> constants = new TreeSet<>();
      for (Enum<?> constant : enums.get(name).getEnumConstants()) {
        constants.add(constant.getClass().getMethod("word").invoke(constant));
      }
      assertEquals(words, constants, name);
    }
  }

  private static String camel(String words) {
    StringBuilder out = new StringBuilder();
    for (String word : words.split("_")) {
      out.append(
          out.length() == 0 ? word : Character.toUpperCase(word.charAt(0)) + word.substring(1));
    }
    return out.toString();
  }

  @Test
  void settingsBecomeTheJsonOfTheSchema() throws Exception {
    Config config =
        Config.builder(Profile.GENERIC)
            .environment(Environment.TEST)
            .clientId("a \"quoted\" id\n")
            .scopes(List.of("a:b"))
            .timeoutMs(1234)
            .nbf(true)
            .grant(Grant.CLIENT_CREDENTIALS)
            .tls(TlsSettings.builder().minVersion(TlsVersion.TLS_1_3).build())
            .dpop(DpopSettings.builder().alg("ES256").build())
            .decryption(
                DecryptionSettings.builder("file:/d?pin-value=hush")
                    .contentEncryption(List.of(ContentEncryption.A128CBC_HS256))
                    .keyEncryption(List.of(KeyEncryption.RSA_OAEP_256, KeyEncryption.RSA_OAEP))
                    .build())
            .services(
                Map.of(
                    "krr",
                    ServiceSettings.builder()
                        .baseUrl("https://krr.example")
                        .apiKey("env:HUSH")
                        .headers(Map.of("X-Key", "{api_key}"))
                        .build()))
            .sharedCache(SharedCacheSettings.builder().password("hush").build())
            .keys(List.of(ClientKey.builder("file:/k?pin-value=hush").kid("1").build()))
            .build();
    Map<String, Object> json = Given.json(config.toJson());
    assertEquals("generic", json.get("profile"));
    assertEquals("test", json.get("environment"));
    assertEquals("a \"quoted\" id\n", json.get("client_id"));
    assertEquals(List.of("a:b"), json.get("scopes"));
    assertEquals(1234L, json.get("timeout_ms"));
    assertEquals(true, json.get("nbf"));
    assertEquals("client_credentials", json.get("grant"));
    assertEquals("1.3", ((Map<?, ?>) json.get("tls")).get("min_version"));
    assertEquals("ES256", ((Map<?, ?>) json.get("dpop")).get("alg"));
    assertEquals(
        Map.of(
            "krr",
            Map.of(
                "base_url", "https://krr.example",
                "api_key", "env:HUSH",
                "headers", Map.of("X-Key", "{api_key}"))),
        json.get("services"));
    assertEquals(
        Map.of(
            "key", "file:/d?pin-value=hush",
            "content_encryption", List.of("A128CBC-HS256"),
            "key_encryption", List.of("RSA-OAEP-256", "RSA-OAEP")),
        json.get("decryption"));
    DecryptionSettings several =
        DecryptionSettings.builder()
            .keys(List.of(DecryptionKey.builder("file:/e").kid("2").certificate("file:/f").build()))
            .build();
    Config renewing = config.toBuilder().decryption(several).build();
    assertEquals(
        Map.of("keys", List.of(Map.of("key", "file:/e", "kid", "2", "certificate", "file:/f"))),
        Given.json(renewing.toJson()).get("decryption"));
    assertEquals("1", ((Map<?, ?>) ((List<?>) json.get("keys")).get(0)).get("kid"));
    assertFalse(config.toString().contains("hush"));
    assertEquals(config.toJson(), Config.fromJson(config.toJson()).toJson());
    assertTrue(config.toBuilder().timeoutMs(7).build().toJson().contains("\"timeout_ms\":7"));
  }

  @Test
  void aClientIsMadeOfSettings() throws Exception {
    Map<String, Object> file = Given.json(Given.variable("SEGL_TEST_FILE_JSON"));
    Config config =
        Config.builder(Profile.MASKINPORTEN)
            .issuer((String) file.get("issuer"))
            .tokenEndpoint((String) file.get("token_endpoint"))
            .clientId((String) file.get("client_id"))
            .kid((String) file.get("kid"))
            .key((String) file.get("key"))
            .scopes(List.of("demo:konto.read"))
            .build();
    try (TokenClient client = TokenClient.create(config)) {
      assertFalse(client.token().accessToken().isEmpty());
    }
  }

  @Test
  void whatIsWrongIsNamed() {
    for (String text : List.of("", "[]", "{", "{\"a\":01}", "{\"a\":1,\"a\":2}", "{\"a\":\"\n\"}")) {
      Given.fails(ErrorCode.CONFIG, () -> Config.fromJson(text));
    }
    Given.fails(ErrorCode.CONFIG, () -> Config.fromJson("[".repeat(100_000)));
    Config unknown = Config.fromJson("{\"profile\":\"maskinporten\",\"scope\":[\"\\u00e6\"]}");
    SeglException failure = Given.fails(ErrorCode.CONFIG, () -> TokenClient.create(unknown));
    assertTrue(failure.configPath().contains("scope"), failure.configPath());
  }
}
