echo "tool $*, user $(id -u)"
exit 3
