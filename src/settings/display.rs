//! Whether a browser could show something on this machine.

use super::Strings;

/// Variables by which a graphical session is known.
const DISPLAYS: [&str; 2] = ["WAYLAND_DISPLAY", "DISPLAY"];

/// Whether this process has a screen to open a window on. macOS has one without saying so.
pub fn has_display(environment: &dyn Strings) -> bool {
    let set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || DISPLAYS.into_iter().any(set)
}
