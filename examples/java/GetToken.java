import no.segl.Token;
import no.segl.TokenClient;

/**
 * Gets an access token for a client that a configuration file names:
 *
 * <pre>java --enable-native-access=ALL-UNNAMED -cp segl.jar:segl-natives.jar GetToken.java segl.toml bank</pre>
 */
class GetToken {
  public static void main(String[] arguments) {
    String file = arguments.length > 0 ? arguments[0] : "segl.toml";
    String name = arguments.length > 1 ? arguments[1] : "bank";

    try (TokenClient client = TokenClient.open(file, name)) {
      Token token = client.token();
      System.out.printf(
          "a token of %d bytes, valid until %s%n",
          token.accessToken().length(), token.expiresAt());
    }
  }
}
