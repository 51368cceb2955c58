//! The person's desktop: whether there is one, and what its programs are told.

use std::ffi::OsString;

use super::Strings;

/// Variables by which a graphical session is known.
const DISPLAYS: [&str; 2] = ["WAYLAND_DISPLAY", "DISPLAY"];

/// Whether this process has a screen to open a window on. macOS has one without saying so.
pub fn has_display(environment: &dyn Strings) -> bool {
    let set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || DISPLAYS.into_iter().any(set)
}

/// What a program of the person's desktop is told of this process's environment: enough to find the desktop, the person's
/// files and their browser. No more, because a secret in a variable would stay readable in a browser's process for days.
/// A proxy is not told either: its address may hold a password.
const FOR_PROGRAMS: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "BROWSER",
    "TERM",
    // By these xdg-open tells desktops apart.
    "DESKTOP_SESSION",
    "KDE_FULL_SESSION",
    "KDE_SESSION_VERSION",
    "GNOME_DESKTOP_SESSION_ID",
    "TMPDIR",
];

/// The same for whole families: languages, and the desktop's own.
const FAMILIES: [&str; 2] = ["LC_", "XDG_"];

/// The variables of this process that a program of the person's desktop gets.
pub fn for_programs() -> Vec<(OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_for_programs)).collect()
}

fn is_for_programs(name: &str) -> bool {
    FOR_PROGRAMS.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}
