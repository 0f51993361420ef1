# The engine as a library for other programs: libergo.a, libergo.so, their headers, a CMake package
# and a pkg-config file. Both libraries are made of the objects that the program is made of.
include(CMakePackageConfigHelpers)

set(layers base tensor formats tokenizer kernels model runtime generate capi)
set(objects)
foreach(layer ${layers})
  list(APPEND objects $<TARGET_OBJECTS:ergo_${layer}>)
endforeach()

function(ergo_public_library target kind)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ergo LINKER_LANGUAGE CXX EXPORT_NAME ${kind})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} INTERFACE c_std_99)
  install(TARGETS ${target} EXPORT ergo-${kind} COMPONENT library
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} NAMELINK_COMPONENT library
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT ergo-${kind} NAMESPACE ergo:: FILE ergo-${kind}.cmake
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ergo COMPONENT library)
  add_library(ergo::${kind} ALIAS ${target})
endfunction()

add_library(ergo_static STATIC ${objects})
ergo_public_library(ergo_static static)
# Whoever links the archive needs what it is built on.
target_link_libraries(ergo_static INTERFACE Threads::Threads fmt::fmt CURL::libcurl OpenSSL::Crypto
                      pcre2-8 utf8proc)

if(ERGO_SHARED)
  add_library(ergo_shared SHARED $<TARGET_OBJECTS:ergo_capi>)
  target_link_libraries(ergo_shared PRIVATE ergo_generate)
  # Before version 1 every minor version may change the interface.
  set(abi ${PROJECT_VERSION_MAJOR})
  if(abi EQUAL 0)
    set(abi 0.${PROJECT_VERSION_MINOR})
  endif()
  set(exports ${CMAKE_SOURCE_DIR}/src/capi/exports.map)
  set_target_properties(ergo_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${abi}
                        LINK_DEPENDS ${exports})
  target_link_options(ergo_shared PRIVATE LINKER:--version-script=${exports} LINKER:--no-undefined)
  ergo_public_library(ergo_shared shared)
endif()

# Libraries that are shared themselves: what their own archives would need does not matter.
set(ERGO_PC_LIBS "-lfmt -lcurl -lcrypto -lpcre2-8 -lutf8proc -lstdc++ -lm -pthread")
if(ERGO_SHARED)
  set(default shared)
  set(ERGO_PC_DEFAULT "-lergo")
else()
  set(default static)
  set(ERGO_PC_DEFAULT "-lergo ${ERGO_PC_LIBS}")
endif()
add_library(ergo::ergo ALIAS ergo_${default})
set(ERGO_DEFAULT_COMPONENT ${default})

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/ergo)
configure_package_config_file(cmake/ergoConfig.cmake.in ${CMAKE_BINARY_DIR}/ergoConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ergoConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
# The prefix is found from where the file lies, so that an installed tree can be moved.
file(RELATIVE_PATH ERGO_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" ERGO_PC_PREFIX "${ERGO_PC_PREFIX}")
configure_file(cmake/ergo.pc.in ${CMAKE_BINARY_DIR}/ergo.pc @ONLY)

install(FILES ${CMAKE_BINARY_DIR}/ergoConfig.cmake ${CMAKE_BINARY_DIR}/ergoConfigVersion.cmake
        DESTINATION ${package} COMPONENT library)
install(FILES ${CMAKE_BINARY_DIR}/ergo.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT library)
install(DIRECTORY include/ergo DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)

if(ERGO_EXAMPLES)
  add_subdirectory(examples)
endif()

if(ERGO_TESTS)
  # Installs into a folder of its own, builds the examples against that, and runs them.
  add_executable(write_tiny_model tests/install/write_tiny_model.cc)
  target_link_libraries(write_tiny_model ergo_generate GTest::gtest)
  target_compile_definitions(write_tiny_model PRIVATE ERGO_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  ergo_test_flags(write_tiny_model tests)
  ergo_use_precompiled(write_tiny_model tests)
  add_test(NAME install COMMAND ${CMAKE_SOURCE_DIR}/tests/install/check.sh ${CMAKE_BINARY_DIR}
           $<TARGET_FILE:write_tiny_model>)
  set_tests_properties(install PROPERTIES ENVIRONMENT
                       "CC=${CMAKE_C_COMPILER};CXX=${CMAKE_CXX_COMPILER}")
endif()
