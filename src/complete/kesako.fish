# fish completion for kesako: kesako completion fish | source

function __kesako_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2>/dev/null
end

complete -c kesako -a '(__kesako_complete)'
