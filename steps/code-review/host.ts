/** What a code host knows about the review of a change. One small interface, so that another host is another file. */
export interface CodeHost {
  /**
   * @param change.number Of the merge request; where it is not known, the open one that holds the commit is meant.
   * @returns undefined when the host knows no merge request for it
   * @throws REVIEW-HOST (errored), REVIEW-DENIED (usage)
   */
  review(change: { readonly number?: number | undefined; readonly commit: string }): Promise<Review | undefined>
}

export interface Review {
  readonly number: number
  readonly url: string
  readonly author: string
  readonly approvals: readonly { readonly by: string }[]
  /** How many approvals the host's own rules demand; 0 where it has none. */
  readonly required: number
  /** Threads that nobody has resolved. */
  readonly unresolved: readonly { readonly by: string; readonly text: string; readonly where?: string }[]
}
