/** What a delivery asks of a code host about a merge request; each host answers in the same shape. */
export interface Review {
  readonly title: string
  readonly url: string
  readonly author: string
  /** User names of those who approved, the author included where the host allows it. */
  readonly approvedBy: readonly string[]
  /** Approvals that the host's own rules ask for. */
  readonly required: number
  /** First lines of the threads that nobody resolved, with who began them. */
  readonly unresolved: readonly { readonly by: string; readonly text: string }[]
}

export interface CodeHost {
  /** @throws CODEHOST-… errored when it cannot be asked; usage when the token does not suffice */
  review(mergeRequest: string): Promise<Review>
}
