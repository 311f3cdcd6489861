# Completion by fish, for the command that this file is called after: what may
# stand where, and what it is, is told by the file of bash's completion, which is
# run for it.

function __xl_teleport_words
    set -l typed (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l before (string match --regex -- '^--[^=]*=' $current)
    set -l value (string replace --regex -- '^--[^=]*=' '' $current)
    for line in (bash @COMPLETIONDIR@/xl-teleport $typed "$current" 2>/dev/null)
        switch $line
            case \tfiles
                set -l found (__fish_complete_path "$value")
                string join -- \n "$before"$found
            case \tfolders
                set -l found (__fish_complete_directories "$value" '')
                string join -- \n "$before"$found
            case \thosts
                __fish_print_hostnames
            case \t'*'
            case '*'
                echo -- "$before$line"
        end
    end
end

complete --command (status basename | string replace --regex '\.fish$' '') \
    --no-files --arguments '(__xl_teleport_words)'
