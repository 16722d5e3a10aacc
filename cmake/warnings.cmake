# wan_warnings: what every target of ours compiles with; whether a warning is an error is the preset's choice.
add_library(wan_warnings INTERFACE)
target_compile_options(wan_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
                                              -Wnon-virtual-dtor -Wimplicit-fallthrough)
