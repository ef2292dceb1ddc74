//! The server: accepts, checks passwords, and serves maildrops.
