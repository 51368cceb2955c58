# Goes before a page's blocks. $RESULTS is a folder for what they say; failures are lines of $RESULTS/failures.
set -uEo pipefail
exec 3>"$RESULTS/failures"
allowed='' seen=''
# On one line, because the shell counts the lines of what it traps on top of the command's.
trap '__failed $? $LINENO "$BASH_COMMAND"' ERR

# __failed CODE LINE COMMAND
__failed() {
  case " $allowed " in
    *" $1 "*) seen="$seen $1" ;;
    *) echo "$2: \`$3\` ends with $1" >&3; exit 99 ;;
  esac
}

# __begin LINE [CODE]
__begin() {
  line=$1 allowed=${2:-} seen=''
  # Not one file: a line of the log would stand in the middle of a line of output.
  exec >"$RESULTS/$line.out" 2>"$RESULTS/$line.err"
}

__end() {
  if [ -n "$allowed" ] && [ -z "$seen" ]; then
    echo "$line: no command ends with $allowed" >&3
  fi
}

# The block is the function __body: it says `serving`, is told to stop, and ends well.
__serve() {
  local serving waited=0
  __body &
  serving=$!
  until grep -q ' serving ' "$RESULTS/$line.out" "$RESULTS/$line.err"; do
    if [ $((waited += 1)) -gt 300 ] || ! kill -0 "$serving" 2>/dev/null; then
      echo "$line: it does not serve" >&3
      exit 99
    fi
    sleep 0.1
  done
  # The program, not the shell around it.
  kill -TERM $(cat "/proc/$serving/task/$serving/children")
  wait "$serving"
}

source "$RESULTS/page.sh"
