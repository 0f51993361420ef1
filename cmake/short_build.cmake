# How a build from nothing is made short. With ccache, which does not cache what uses precompiled
# headers and caches smaller files better, both ways are off.
option(ERGO_GROUP "Compile files in groups" ON)
option(ERGO_PRECOMPILE "Use precompiled headers" ON)
find_program(ERGO_PYTHON3 python3)
if(NOT ERGO_PYTHON3)
  set(ERGO_GROUP OFF)
endif()
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache" OR ERGO_FUZZ)
  set(ERGO_GROUP OFF)
  set(ERGO_PRECOMPILE OFF)
endif()

if(ERGO_GROUP AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # A group includes its files, and g++ takes what one file keeps to itself for a header's.
  target_compile_options(ergo_options INTERFACE -Wno-subobject-linkage)
endif()

# Replaces the files of a list by groups of them (unity.py). Files for one processor have flags of
# their own, and tests of kernels have their own versions of what they test.
function(ergo_group target list_name)
  if(NOT ERGO_GROUP OR target MATCHES "kernels")
    return()
  endif()
  set(single ${${list_name}})
  list(FILTER single INCLUDE REGEX "_(avx2|avxvnni|avx512|amx)(_test)?\\.cc$")
  set(files ${${list_name}})
  list(FILTER files EXCLUDE REGEX "_(avx2|avxvnni|avx512|amx)(_test)?\\.cc$")
  execute_process(COMMAND ${ERGO_PYTHON3} ${CMAKE_SOURCE_DIR}/cmake/unity.py
                          ${CMAKE_BINARY_DIR}/groups/${target} ${files}
                  OUTPUT_VARIABLE grouped OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" grouped "${grouped}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  set(${list_name} ${grouped} ${single} PARENT_SCOPE)
endfunction()

# Precompiled headers for everything: one for the layers, and with GoogleTest those for the tests:
# most of what a small file costs is json.hpp and GoogleTest.

# Tests are read by the compiler once and run once: what they test is optimized, they are not. Those
# of kernels hold the scalar references, and loops over many numbers.
function(ergo_test_flags target kind)
  if(ERGO_SANITIZE)
    return()
  endif()
  if(kind STREQUAL "kernel_tests")
    target_compile_options(${target} PRIVATE -O1)
  else()
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# An object library whose only purpose is to own the precompiled header `kind`.
function(ergo_precompiled_owner kind)
  set(source ${CMAKE_BINARY_DIR}/precompiled_${kind}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "int ergo_precompiled_${kind};\n")
  add_library(ergo_precompiled_${kind} OBJECT ${source})
  target_link_libraries(ergo_precompiled_${kind} PRIVATE ergo_options fmt::fmt Threads::Threads
                        nlohmann_json::nlohmann_json)
  if(kind MATCHES "tests")
    target_link_libraries(ergo_precompiled_${kind} PRIVATE GTest::gtest GTest::gmock)
    ergo_test_flags(ergo_precompiled_${kind} ${kind})
  endif()
  target_precompile_headers(ergo_precompiled_${kind} PRIVATE ${ARGN})
endfunction()

if(ERGO_PRECOMPILE)
  ergo_precompiled_owner(layers ${CMAKE_SOURCE_DIR}/src/base/precompiled.h)
  if(ERGO_TESTS)
    foreach(kind tests kernel_tests)
      ergo_precompiled_owner(${kind} ${CMAKE_SOURCE_DIR}/src/base/precompiled.h <gmock/gmock.h>
                             <gtest/gtest.h>)
    endforeach()
  endif()
endif()

# Files for one processor have flags of their own, and kernels share no code with others.
function(ergo_use_precompiled target kind)
  if(NOT ERGO_PRECOMPILE)
    return()
  endif()
  target_precompile_headers(${target} REUSE_FROM ergo_precompiled_${kind})
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "_(avx2|avxvnni|avx512|amx)(_test)?\\.cc$")
  set_source_files_properties(${sources} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
