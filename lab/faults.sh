# Sourced: faults on command. `fault NAME [HOST]` is true when $LAB_DIR/faults/NAME says so; without HOST only when the
# file names none; with HOST and `any` also then. Sets fault_kind and fault_seconds, and takes the file away when it says
# `once`.
fault() {
  fault_kind=temporary fault_seconds=1
  fault_file=$LAB_DIR/faults/$1
  [ -f "$fault_file" ] || return 1
  fault_host='' fault_once=''
  for fault_word in $(cat "$fault_file" 2>/dev/null); do
    case $fault_word in
      once) fault_once=yes ;;
      auth | quota | capacity | throttled | ip-in-use | config | ambiguous | temporary) fault_kind=$fault_word ;;
      [0-9]*) fault_seconds=$fault_word ;;
      *) fault_host=$fault_word ;;
    esac
  done
  [ "$fault_host" = "${2:-}" ] || { [ -z "$fault_host" ] && [ "${3:-}" = any ]; } || return 1
  # Two at the same time must not both have the one fault: only one of them can rename the file.
  if [ -n "$fault_once" ]; then
    mv "$fault_file" "$fault_file.used.$$" 2>/dev/null || return 1
    rm -f "$fault_file.used.$$"
  fi
}
