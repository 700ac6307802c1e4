/** Signs JWT assertions with keys that never leave their HSM, and gets access tokens with them. */
@org.jspecify.annotations.NullMarked
module no.segl {
  requires static transitive org.jspecify;
  requires static com.sun.jna;

  exports no.segl;

  // JNA calls back through interfaces there.
  opens no.segl.internal to
      com.sun.jna;
}
