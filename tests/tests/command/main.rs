//! The command as its users meet it: each verb over sound, damaged, wrong and hostile things, by its words and exit
//! codes.

mod bad_input;
mod cli;
mod damage;
mod datastore;
mod documented;
mod field;
mod hostile;
mod prune;
mod web;
