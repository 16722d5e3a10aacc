#include "models/model_card.h"
#include "tests/fuzz/expectations.h"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto card = wan::models::parse_model_card(text, "input");
  if (!card) {
    wan::fuzz::expect_good_message(card.error());
    return 0;
  }
  // Its digest lets through little but the seed.
  wan::fuzz::expect(wan::models::format_model_card(*card) == text, "a card is accepted only as it is written");
  return 0;
}
