/// The version that `jersey --version` prints.
package let jerseyVersion = "0.1.0"
