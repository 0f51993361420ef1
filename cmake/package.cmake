# The program as a Debian package: cd build && cpack -G DEB
install(FILES ${CMAKE_SOURCE_DIR}/deploy/ergo.service DESTINATION lib/systemd/system)
install(FILES ${CMAKE_SOURCE_DIR}/docs/man/ergo.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
        OPTIONAL)  # written by tools/make_man.py
# Only into packages: an installation into a folder leaves /etc alone.
install(FILES ${CMAKE_SOURCE_DIR}/deploy/serve.toml DESTINATION /etc/ergo COMPONENT etc
        EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/grafana/ergo.json
        DESTINATION ${CMAKE_INSTALL_DATADIR}/ergo/grafana)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ergo)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The ergo authors <ergo@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Reasoning engine: language models whose answers are checked")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# Without the library's headers and archives, which are for building other programs.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_COMPONENTS_ALL Unspecified etc)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "bubblewrap, python3, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "redis-server")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/deploy/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
