#compdef kesako
# zsh completion for kesako: source <(kesako completion zsh)

_kesako() {
    local line
    local -a found
    for line in "${(@f)$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if (( $#found )); then
        _describe kesako found
    else
        _files
    fi
}

compdef _kesako kesako
