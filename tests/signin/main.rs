//! Every way to sign in, as its users meet it: the real program against the emulator, with what goes wrong beside it.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

mod documented;
