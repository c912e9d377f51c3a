-- search.lua: what search.js looks through: the words of each section.
local markdown = require "docs.site.markdown"

local search = {}

local common = {}
for word in ([[the and that its not for are when with this which from what
    have has than then they one but also was may can who will how into their
    nbsp]]):gmatch "%a+" do
    common[word] = true
end

local function add(words, html)
    for word in markdown.plain(html):lower():gmatch "[%w_]+" do
        if #word > 2 and not common[word] and not words[word] then
            words[word] = true
            words[#words + 1] = word
        end
    end
end

-- The html between headings -> { { id =, words = } }, the heading's own.
local function sections(page)
    local found, at = {}, 1
    local marks = {}
    for _, heading in ipairs(page.headings) do
        local first, last = page.html:find(('<h%d id="%s">.-</h%d>'):format(
            heading.level, heading.id:gsub("%p", "%%%0"), heading.level), at)
        marks[#marks + 1] = { heading = heading, first = first, last = last }
        at = last
    end
    for i, mark in ipairs(marks) do
        local next_one = marks[i + 1]
        local words = {}
        add(words, page.html:sub(mark.last + 1,
            next_one and next_one.first - 1 or #page.html))
        found[i] = { heading = mark.heading, words = table.concat(words, " ") }
    end
    return found
end

local function quoted(text)
    return '"' .. text:gsub('[\\"]', "\\%0"):gsub("<", "\\u003c")
        :gsub("\n", " ") .. '"'
end

-- A script that hands the index to search.js: works from a file, too.
function search.index(pages)
    local out = { "quollSearch({pages:[\n" }
    for _, page in ipairs(pages) do
        out[#out + 1] = ("[%s,%s],\n"):format(quoted(page.title),
            quoted(page.out))
    end
    out[#out + 1] = "],sections:[\n"
    for i, page in ipairs(pages) do
        for _, section in ipairs(sections(page)) do
            out[#out + 1] = ("[%d,%s,%s,%s],\n"):format(i - 1,
                quoted(section.heading.id), quoted(section.heading.text),
                quoted(section.words))
        end
    end
    out[#out + 1] = "]})\n"
    return table.concat(out)
end

return search
