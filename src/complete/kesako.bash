# bash completion for kesako: source <(kesako completion bash)

_kesako() {
    local cur=${COMP_WORDS[COMP_CWORD]} line
    # A colon is a word of its own to bash, but not in an image's name.
    if declare -F _get_comp_words_by_ref >/dev/null; then
        local words cword
        _get_comp_words_by_ref -n : cur words cword
        set -- "${words[@]:1:cword}"
    else
        set -- "${COMP_WORDS[@]:1:COMP_CWORD}"
    fi
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\t'*}")
    done < <("${COMP_WORDS[0]}" __complete "$@" 2>/dev/null)
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$cur"
    fi
}

complete -o default -F _kesako kesako
