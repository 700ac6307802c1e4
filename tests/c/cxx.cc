// The header in C++17, with owners that free.

#include <memory>
#include <string_view>

#include "given.h"

namespace {

struct Free {
  void operator()(segl_signer *signer) const { segl_signer_free(signer); }
  void operator()(segl_error *error) const { segl_error_free(error); }
};

int32_t refuse(void *ctx, const char *, size_t, const uint8_t *, size_t, uint8_t *, size_t *, const segl_fail *fail) {
  segl_fail_set(fail, SEGL_DEVICE, SEGL_S("no card in the reader"));
  ++*static_cast<int *>(ctx);
  return 1;
}

}  // namespace

int main() {
  std::unique_ptr<segl_signer, Free> signer(open_pem("GIVEN_EC_PEM"));
  segl_bytes jwk{};
  CHECK_OK(segl_signer_public_jwk(signer.get(), &jwk));

  int calls = 0;
  segl_signer_vtable vtable{};
  vtable.struct_size = sizeof vtable;
  vtable.ctx = &calls;
  vtable.sign = refuse;
  segl_signer *made = nullptr;
  CHECK_OK(segl_signer_from_vtable(&vtable, reinterpret_cast<const char *>(jwk.data), jwk.len, &made));
  std::unique_ptr<segl_signer, Free> card(made);
  segl_bytes_free(&jwk);

  segl_bytes out{};
  std::unique_ptr<segl_error, Free> error(segl_signer_sign(card.get(), SEGL_S("ES256"), nullptr, 0, nullptr, &out));
  CHECK(segl_error_code(error.get()) == SEGL_DEVICE && calls == 1 && out.data == nullptr);
  size_t len = 0;
  const char *message = segl_error_message(error.get(), &len);
  CHECK(std::string_view(message, len).find("no card in the reader") != std::string_view::npos);

  CHECK_OK(segl_signer_sign(signer.get(), SEGL_S("ES256"), nullptr, 0, nullptr, &out));
  CHECK(out.len == 64);
  segl_bytes_free(&out);
  return 0;
}
