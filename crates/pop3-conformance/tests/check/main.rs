//! The rows of `check`: a server that does all right passes each, and one that
//! does one thing wrong fails that row, and no other.

mod faults;
mod mock;
mod rows;
mod secrets;
