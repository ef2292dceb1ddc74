//! The rows of `check`: a correct server passes each row, and a server with one
//! fault fails that fault's row and no other.

mod faults;
mod mock;
mod rows;
mod secrets;
mod servers;
