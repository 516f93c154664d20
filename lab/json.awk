# Turns one JSON value into lines `path<TAB>value`: {"hosts":[{"hostname":"c1"}]} gives `hosts.0.hostname<TAB>c1`.
# The lab's cloud reads its requests with it, so that a lab needs no program beside what Debian brings. Strict: what is
# not JSON ends with 2. Strings with control characters or \u escapes are refused: no host, address or lease has one.
{ text = text $0 "\n" }
END {
  at = 1
  value("")
  blanks()
  if (at <= length(text)) fail("something follows the value")
}
function value(path,    c) {
  blanks()
  c = substr(text, at, 1)
  if (c == "{") object(path)
  else if (c == "[") array(path)
  else if (c == "\"") print path "\t" string()
  else if (match(substr(text, at), /^(true|false|null|-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?)/)) {
    print path "\t" substr(text, at, RLENGTH)
    at += RLENGTH
  } else fail("a value is expected")
}
function object(path,    key) {
  at++
  if (next_is("}")) return
  do {
    blanks()
    if (substr(text, at, 1) != "\"") fail("a key is expected")
    key = string()
    if (!next_is(":")) fail("\":\" is expected")
    value(path == "" ? key : path "." key)
  } while (next_is(","))
  if (!next_is("}")) fail("\"}\" is expected")
}
function array(path,    n) {
  at++
  if (next_is("]")) return
  n = 0
  do {
    value(path == "" ? n : path "." n)
    n++
  } while (next_is(","))
  if (!next_is("]")) fail("\"]\" is expected")
}
function string(    c, out) {
  out = ""
  for (at++; at <= length(text); at++) {
    c = substr(text, at, 1)
    if (c == "\"") { at++; return out }
    if (c == "\\") {
      c = substr(text, ++at, 1)
      if (c != "\"" && c != "\\" && c != "/") fail("this escape is not taken here")
    } else if (c == "\t" || c == "\n") fail("a control character in a string")
    out = out c
  }
  fail("a string without an end")
}
function next_is(c) {
  blanks()
  if (substr(text, at, 1) != c) return 0
  at++
  return 1
}
function blanks() { while (substr(text, at, 1) ~ /^[ \t\r\n]$/) at++ }
function fail(why) {
  print "not JSON: " why " at character " at > "/dev/stderr"
  exit 2
}
