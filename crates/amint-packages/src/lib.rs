//! Package databases of operating systems: dpkg, rpm, apk.
