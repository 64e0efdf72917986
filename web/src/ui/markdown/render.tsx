import type { Token } from "markdown-it";
import { Fragment, type ReactNode } from "react";
import { CodeBlock } from "./code-block";
import { ImageLink } from "./image-link";
import { MentionTag, MessageLink, RoomTag } from "./links";
import { safeHref, splitTags } from "./parse";
import styles from "./markdown.module.css";

/** Elements in elements: emphasis inside emphasis goes on as plain words from here. */
const depthMax = 24;

/** A place in a token stream; rendering walks it once, so that its cost is that of the stream. */
interface Walk {
  readonly tokens: readonly Token[];
  index: number;
  /** Whether `@name` names somebody in this message. */
  readonly named: boolean;
}

/** Tags that a message may contain, by the token that opens them. Headings are bold lines: the page's outline is not a message's. */
const containers: Record<string, (children: ReactNode, token: Token) => ReactNode> = {
  paragraph_open: (children, token) => (token.hidden ? children : <p>{children}</p>),
  heading_open: (children, token) => (
    <p className={styles.heading} data-level={token.tag.slice(1)}>
      <strong>{children}</strong>
    </p>
  ),
  blockquote_open: (children) => <blockquote>{children}</blockquote>,
  bullet_list_open: (children) => <ul>{children}</ul>,
  ordered_list_open: (children, token) => <ol start={Number(token.attrGet("start") ?? "1")}>{children}</ol>,
  list_item_open: (children) => <li>{children}</li>,
  table_open: (children) => (
    <div className={styles.tableScroll}>
      <table>{children}</table>
    </div>
  ),
  thead_open: (children) => <thead>{children}</thead>,
  tbody_open: (children) => <tbody>{children}</tbody>,
  tr_open: (children) => <tr>{children}</tr>,
  th_open: (children, token) => <th data-align={alignOf(token)}>{children}</th>,
  td_open: (children, token) => <td data-align={alignOf(token)}>{children}</td>,
  strong_open: (children) => <strong>{children}</strong>,
  em_open: (children) => <em>{children}</em>,
  s_open: (children) => <s>{children}</s>,
  link_open: (children, token) => {
    const href = safeHref(attributeOf(token, "href"));
    return href === null ? children : <MessageLink href={href}>{children}</MessageLink>;
  },
};

function attributeOf(token: Token, name: string): string {
  return String(token.attrGet(name) ?? "");
}

function alignOf(token: Token): string | undefined {
  return /text-align:(left|center|right)/.exec(attributeOf(token, "style"))?.[1];
}

/** Draws tokens up to the one that closes `inside`, or to the end. Text inside a link holds no further links. */
function renderRun(walk: Walk, inside: string | null, inLink: boolean, depth: number): ReactNode[] {
  const drawn: ReactNode[] = [];
  while (walk.index < walk.tokens.length) {
    const token = walk.tokens[walk.index++]!;
    if (token.nesting === -1 && token.type === inside) break;
    const key = drawn.length;
    const container = depth < depthMax ? containers[token.type] : undefined;
    if (token.nesting === 1) {
      const closing = token.type.replace("_open", "_close");
      const children = renderRun(walk, closing, inLink || token.type === "link_open", depth + 1);
      drawn.push(<Fragment key={key}>{container ? container(children, token) : children}</Fragment>);
    } else if (token.nesting === 0) {
      drawn.push(<Fragment key={key}>{renderLeaf(token, walk.named, inLink, depth)}</Fragment>);
    }
  }
  return drawn;
}

function renderLeaf(token: Token, named: boolean, inLink: boolean, depth: number): ReactNode {
  switch (token.type) {
    case "inline":
      return renderRun({ tokens: token.children ?? [], index: 0, named }, null, inLink, depth);
    case "text":
    case "text_special":
      return inLink ? token.content : renderText(token.content, named);
    case "softbreak":
    case "hardbreak":
      return <br />;
    case "code_inline":
      return <code>{token.content}</code>;
    case "fence":
    case "code_block":
      return (
        <CodeBlock
          code={token.content.replace(/\n$/, "")}
          language={token.info.trim().split(/\s+/, 1)[0] ?? ""}
        />
      );
    case "hr":
      return <hr />;
    case "image": {
      const href = safeHref(attributeOf(token, "src"));
      // No picture is fetched from elsewhere: that would tell its server who reads what, and when.
      return href === null || inLink ? token.content : <ImageLink href={href} text={token.content} />;
    }
    default:
      return token.content;
  }
}

function renderText(text: string, named: boolean): ReactNode {
  const pieces = splitTags(text);
  if (pieces.length === 1 && pieces[0]!.kind === "words") return text;
  return pieces.map((piece, index) => {
    if (piece.kind === "mention" && named) return <MentionTag key={index} username={piece.text} />;
    if (piece.kind === "room") return <RoomTag key={index} name={piece.text} />;
    return piece.kind === "mention" ? `@${piece.text}` : piece.text;
  });
}

/** Draws the tokens of a message as React elements: no HTML string exists at any point. */
export function renderTokens(tokens: readonly Token[], named: boolean): ReactNode {
  return renderRun({ tokens, index: 0, named }, null, false, 0);
}
