# Read by llama.cpp's build after its project(), as .cargo/config.toml says.

# The library only: the helpers of its own tools are half of the build.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "helpers of llama.cpp's own tools" FORCE)

# The bindings link GNU's OpenMP, which code of other compilers cannot use.
if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(GGML_OPENMP OFF CACHE BOOL "threads of OpenMP" FORCE)
endif()
