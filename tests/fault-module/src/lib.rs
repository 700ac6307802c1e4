//! A PKCS#11 module that stands in front of a real one and fails on request.
//!
//! `C_GetFunctionList` gives the real module's table with some entries replaced
//! ([`functions`]). Each of those counts its calls, lets the rules in force
//! ([`rules`]) fail, delay or alter the call, and passes it on. The rules come
//! in through a few C functions of its own ([`control`], declared in `fault.h`).
//!
//! The environment variable `SEGL_FAULT_MODULE` is the path of the real module.
//! All state belongs to the loaded library, so a program that loads two copies
//! of the file under different names has two modules with rules of their own, in
//! front of the same real one.
//!
//! For tests only. It trusts its caller's pointers as the real module does.

mod call;
mod control;
mod ecdsa;
mod function;
mod functions;
mod list;
mod others;
mod real;
mod rule;
mod rules;
mod slots;
mod state;
