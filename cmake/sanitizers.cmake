# WAN_SANITIZE: a comma-separated list for -fsanitize, set by the presets.
set(WAN_SANITIZE "" CACHE STRING "sanitizers to build everything with")
if(WAN_SANITIZE)
  add_compile_options(-fsanitize=${WAN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WAN_SANITIZE})
endif()
if(WAN_LIBFUZZER)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
